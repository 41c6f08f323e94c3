/** What became of the files of an archive. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Dataset } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { count } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { sentence } from '../ui/sentence.ts';
import { whyForm } from './why-form.ts';

type Report = NonNullable<Dataset['report']>;

export function ImportReport({ report }: { report: Report }) {
  const { accepted, duplicates = 0, form, notes = [], problemCount = 0 } = report;
  return (
    <section class="panel" aria-labelledby="report-title">
      <h2 id="report-title">Report</h2>
      <p>
        {accepted !== undefined && `${count(accepted)} pictures accepted, `}
        {count(duplicates)} left out as duplicates, {count(problemCount)} refused.
      </p>
      {form && <p>{whyForm(form)}</p>}
      {notes.map((note) => (
        <p key={note}>{sentence(note)}</p>
      ))}
    </section>
  );
}

/** Below everything else, since they come later: the list of data sets is without them. */
export function ListedFiles({ name }: { name: string }) {
  const { client, ask } = useApp().api;
  const { data, problem } = useAnswer(
    (signal) => ask(client.GET('/datasets/{name}', { params: { path: { name } }, signal })),
    [name],
  );
  const { problems = [], problemCount = 0, duplicateFiles = [], duplicates = 0 } = data?.report ?? {};
  const refused = problems.map(({ path, code, expected, got }) => ({
    key: `${path} ${code}`,
    path,
    why: (
      <>
        Expected {expected}, got {got}. <code>{code}</code>
      </>
    ),
  }));
  const leftOut = duplicateFiles.map(({ path, sameAs }) => ({ key: path, path, why: <bdi>{sameAs}</bdi> }));
  return (
    <>
      <ProblemNote problem={problem} />
      <Files
        title="Refused files"
        label="Files that were refused"
        head="Why"
        files={refused}
        all={problemCount}
      />
      <Files
        title="Duplicates"
        label="Files that were left out"
        head="Same as"
        files={leftOut}
        all={duplicates}
      />
    </>
  );
}

type FilesProps = {
  title: string;
  label: string; // of the table
  head: string; // of the second column
  files: readonly { readonly key: string; readonly path: string; readonly why: ComponentChildren }[];
  all: number; // of which the report has the first ones
};

function Files({ title, label, head, files, all }: FilesProps) {
  const id = useId();
  if (files.length === 0) return null;
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {files.length < all && <p class="quiet small">The first {count(files.length)} by path.</p>}
      <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
        <table class="numbers problems">
          <caption class="unseen">{label}</caption>
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">{head}</th>
            </tr>
          </thead>
          <tbody>
            {files.map(({ key, path, why }) => (
              <tr key={key}>
                <th scope="row">
                  <bdi>{path}</bdi>
                </th>
                <td>{why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

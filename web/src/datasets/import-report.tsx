/** What became of the files of an archive. */
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
export function RefusedFiles({ name }: { name: string }) {
  const { client, ask } = useApp().api;
  const { data, problem } = useAnswer(
    (signal) => ask(client.GET('/datasets/{name}', { params: { path: { name } }, signal })),
    [name],
  );
  const { problems = [], problemCount = 0 } = data?.report ?? {};
  return (
    <section class="panel" aria-labelledby="refused-title">
      <h2 id="refused-title">Refused files</h2>
      <ProblemNote problem={problem} />
      {problems.length > 0 && <Problems problems={problems} all={problemCount} />}
    </section>
  );
}

function Problems({ problems, all }: { problems: NonNullable<Report['problems']>; all: number }) {
  return (
    <>
      {problems.length < all && <p class="quiet small">The first {count(problems.length)} by path.</p>}
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Files that were refused">
        <table class="numbers problems">
          <caption class="unseen">Files that were refused</caption>
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {problems.map(({ path, code, expected, got }) => (
              <tr key={`${path} ${code}`}>
                <th scope="row">
                  <bdi>{path}</bdi>
                </th>
                <td>
                  Expected {expected}, got {got}. <code>{code}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

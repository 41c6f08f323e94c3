/** What became of the files of an archive. */
import type { Dataset } from '../../../src/client/index.ts';
import { count } from '../ui/format.ts';
import { sentence } from '../ui/sentence.ts';
import { whyForm } from './why-form.ts';

type Report = NonNullable<Dataset['report']>;

export function ImportReport({ report }: { report: Report }) {
  const { accepted, duplicates = 0, form, notes = [], problems = [], problemCount = 0 } = report;
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
      {problems.length > 0 && <Problems problems={problems} all={problemCount} />}
    </section>
  );
}

function Problems({ problems, all }: { problems: NonNullable<Report['problems']>; all: number }) {
  return (
    <>
      {problems.length < all && <p class="quiet small">The first {count(problems.length)} by path.</p>}
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Refused files">
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

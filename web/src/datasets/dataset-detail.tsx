/** One data set: how far its import is, what became of its files, and what it holds. */
import type { Dataset } from '../../../src/client/index.ts';
import { count, shortSha256 } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { ImportReport, ListedFiles } from './import-report.tsx';
import { LabelTable } from './label-table.tsx';
import { RemoveDataset } from './remove-dataset.tsx';
import { Samples } from './samples.tsx';

type Props = { dataset: Dataset; reload: () => void };

export function DatasetDetail({ dataset, reload }: Props) {
  const { name, status, builtIn, error, report } = dataset;
  return (
    <>
      <section class="panel" aria-labelledby="dataset-title">
        <div class="dataset-head">
          <h2 id="dataset-title">{name}</h2>
          <p role="status">{wordOf(dataset)}</p>
          {status === 'ready' && (
            <a class="button is-main" href={`#train/dataset/${name}`}>
              Train
            </a>
          )}
          {!builtIn && <RemoveDataset dataset={dataset} reload={reload} />}
        </div>
        {status === 'importing' && (
          <ProgressBar name="Import" share={dataset.progress?.fraction ?? 0} status="running" />
        )}
        <ProblemNote problem={error && { code: error.code, detail: error.message }} />
        <Facts dataset={dataset} />
      </section>
      {report && <ImportReport report={report} />}
      {status === 'ready' && <Samples name={name} />}
      {status === 'ready' && <LabelTable dataset={dataset} />}
      {hasListed(report) && <ListedFiles key={dataset.createdAt} name={name} />}
    </>
  );
}

function hasListed(report: Dataset['report']): boolean {
  return (report?.problemCount ?? 0) + (report?.duplicates ?? 0) > 0;
}

function wordOf({ status, builtIn, progress }: Dataset): string {
  if (status === 'failed') return 'The import failed.';
  if (status === 'ready') return builtIn ? 'Built in' : 'Ready';
  if (progress === null) return 'Waits for a worker';
  const problems = progress.problems > 0 ? `, ${count(progress.problems)} problems` : '';
  return `Importing: ${count(progress.pictures)} of ${count(progress.count)} pictures${problems}`;
}

function Facts({ dataset: { labels, form, counts, bytes, sha256, source } }: { dataset: Dataset }) {
  const facts: [string, string | null | undefined][] = [
    ['Labels', labels && count(labels.length)],
    ['Form', form],
    ['To train on', counts && count(counts.train.count)],
    ['To test with', counts && count(counts.test.count)],
    ['On disk', bytes === null ? null : `${(bytes / 1e6).toFixed(1)}\u202fMB`],
    ['Archive', source?.fileName],
    ['SHA-256', sha256 && shortSha256(sha256)],
  ];
  return (
    <dl class="facts">
      {facts.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}

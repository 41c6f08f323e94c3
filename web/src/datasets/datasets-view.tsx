/** Data sets: what is there, what is imported, and how to bring one. */
import '../styles/train.css';
import '../styles/datasets.css';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Dataset } from '../../../src/client/index.ts';
import { useApp } from '../app-context.ts';
import { count } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { DatasetDetail } from './dataset-detail.tsx';
import { useDatasets, useImport } from './datasets.ts';
import { UploadForm } from './upload-form.tsx';

export function DatasetsView() {
  const { route } = useApp();
  const { datasets, isKnown, problem, reload } = useDatasets();
  const wanted = route.value.rest[0];
  const open = wanted === undefined ? datasets[0] : datasets.find(({ name }) => name === wanted);
  useImport(open, reload);
  return (
    <div class="view datasets">
      <header class="view-head">
        <h1 tabIndex={-1}>Data sets</h1>
        <p>What networks learn from: pictures in folders named after their labels, in one archive.</p>
      </header>
      <div class="dataset-side">
        <UploadForm reload={reload} />
        <section class="panel dataset-list" aria-labelledby="datasets-title">
          <h2 id="datasets-title">Data sets here</h2>
          <ProblemNote problem={problem} />
          <ul>
            {datasets.map((dataset) => (
              <Row key={dataset.name} dataset={dataset} isOpen={dataset.name === open?.name} />
            ))}
          </ul>
        </section>
      </div>
      <div class="dataset-place">
        {open && <DatasetDetail key={open.name} dataset={open} reload={reload} />}
        {!open && isKnown && wanted !== undefined && (
          <p class="panel" role="status">
            There is no data set “{wanted}”.
          </p>
        )}
      </div>
    </div>
  );
}

function Row({ dataset, isOpen }: { dataset: Dataset; isOpen: boolean }) {
  const { name } = dataset;
  const row = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    if (isOpen) scrollTo(row.current!);
  }, [isOpen]);
  return (
    <li data-open={isOpen} ref={row}>
      <a href={`#datasets/${name}`} aria-current={isOpen ? 'true' : undefined}>
        <span class="dataset-name">{name}</span>
        <span class="quiet small">{summaryOf(dataset)}</span>
      </a>
    </li>
  );
}

/** Scrolls the list, and the page not, until the row is in sight. */
function scrollTo({ offsetTop, offsetHeight, parentElement }: HTMLElement): void {
  const list = parentElement!;
  const isInSight =
    offsetTop >= list.scrollTop && offsetTop + offsetHeight <= list.scrollTop + list.clientHeight;
  if (!isInSight) list.scrollTop = offsetTop + offsetHeight - list.clientHeight;
}

/** "26 labels, 5,200 pictures", or how far it is. */
function summaryOf({ status, labels, counts, progress }: Dataset): string {
  if (status === 'failed') return 'import failed';
  if (labels === null || counts === null) {
    return progress === null
      ? 'waits for a worker'
      : `importing, ${Math.floor(100 * progress.fraction)}\u202f%`;
  }
  return `${labels.length} labels, ${count(counts.train.count + counts.test.count)} pictures`;
}

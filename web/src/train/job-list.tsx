/** The list of jobs; the curves of ticked jobs are shown beside those of the open one. */
import { useState } from 'preact/hooks';
import type { Job } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useStore } from '../app-context.ts';
import { age, percent, shortId } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Status } from '../ui/status.tsx';
import { createComparison, createJobList, mostCurves } from './jobs.ts';

type Props = {
  jobs: readonly Job[];
  isKnown: boolean;
  hasOlder: boolean;
  problem: Problem | null;
  open: Job | undefined;
};

export function JobList({ jobs, isKnown, hasOlder, problem, open }: Props) {
  const { readOlder } = useStore(createJobList);
  const [olderProblem, setOlderProblem] = useState<Problem | null>(null);
  return (
    <section class="panel job-list" aria-labelledby="jobs-title">
      <h2 id="jobs-title">Jobs</h2>
      <p class="quiet small">Tick up to {mostCurves - 1} to see their curves over the open one’s.</p>
      <ProblemNote problem={problem ?? olderProblem} />
      {isKnown && jobs.length === 0 && <p class="quiet">None yet.</p>}
      <ul>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} isOpen={job.id === open?.id} />
        ))}
      </ul>
      {hasOlder && (
        <button type="button" class="button" onClick={() => void readOlder().then(setOlderProblem)}>
          Older jobs
        </button>
      )}
    </section>
  );
}

function JobRow({ job, isOpen }: { job: Job; isOpen: boolean }) {
  return (
    <li data-open={isOpen}>
      {isOpen ? <span class="swatch" /> : <CompareBox id={job.id} />}
      <a href={`#train/${job.id}`} aria-current={isOpen ? 'true' : undefined}>
        <span class="job-name">
          {job.request.model}, {job.request.recipe} <code>{shortId(job.id)}</code>
        </span>
        <span class="job-result">{resultOf(job)}</span>
        <Status status={job.status} />
        <time class="quiet" dateTime={job.createdAt}>
          {age(job.createdAt)}
        </time>
      </a>
    </li>
  );
}

function CompareBox({ id }: { id: string }) {
  const compared = useStore(createComparison);
  const place = compared.ids.value.indexOf(id);
  const isFull = compared.ids.value.length >= mostCurves - 1;
  return (
    <input
      type="checkbox"
      aria-label={`Show the curves of job ${shortId(id)}`}
      checked={place >= 0}
      disabled={isFull && place < 0}
      data-series={place < 0 ? undefined : place + 2}
      onChange={(event) => compared.set(id, event.currentTarget.checked)}
    />
  );
}

function resultOf({ status, progress, epochs, queuePosition }: Job): string {
  if (status === 'queued') return queuePosition === null ? '' : `place ${queuePosition}`;
  if (status === 'running') return progress ? percent(progress.fraction, 0) : '';
  const last = epochs.at(-1);
  return last ? percent(last.testAccuracy, 2) : '';
}

/** One job: progress, curves, epochs. */
import { useState } from 'preact/hooks';
import { isUnreachable, type Job } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useApp, useStore } from '../app-context.ts';
import { count, duration, loss, percent, shortId } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { Status } from '../ui/status.tsx';
import { Charts } from './charts.tsx';
import { type Curve, emptyCurve } from './curve.ts';
import { createCurves } from './curves.ts';
import { EpochTable } from './epoch-table.tsx';
import { explainDecision } from './promotion.ts';
import { settingsOf, subjectOf } from './settings-of.ts';
import { unpublished } from './unpublished.ts';

type Props = { isKnown: boolean; job: Job | undefined; others: readonly Job[]; reload: () => void };

export function Run({ isKnown, job, others, reload }: Props) {
  const curves = useStore(createCurves).byId;
  const curve = job && newest(job, curves.value[job.id]);
  return (
    <section class="panel run" aria-labelledby="run-title">
      {job && curve ? (
        <Head job={job} curve={curve} reload={reload} />
      ) : (
        <h2 id="run-title" class="run-head">
          {isKnown ? 'No training yet' : 'Training'}
        </h2>
      )}
      <ProgressBar
        name="Training progress"
        share={curve?.status === 'succeeded' ? 1 : (curve?.progress?.fraction ?? 0)}
        status={curve?.status}
      />
      <Figures job={job} curve={curve} />
      <p class="run-decision quiet small">{decidedLast(job, curve)}</p>
      <ProblemNote problem={troubleOf(job, curve)} />
      <Charts job={job} others={others} />
      <EpochTable
        epochs={curve?.epochs ?? []}
        unpublished={curve ? unpublished(curve) : []}
        hasPatience={job !== undefined && job.request.patience !== null}
        isOver={job !== undefined && job.finishedAt !== null}
      />
    </section>
  );
}

/** While the job runs, its event stream is newer than the list; without a stream the list is. */
function newest(job: Job, curve: Curve | undefined): Curve {
  const { status, progress, epochs, queuePosition: position, error: trouble } = job;
  const listed = { ...emptyCurve, status, progress, epochs, position, trouble };
  if (job.finishedAt !== null || !curve) return { ...listed, points: curve?.points ?? [] };
  return { ...curve, progress: curve.progress ?? progress };
}

function Head({ job, curve, reload }: { job: Job; curve: Curve; reload: () => void }) {
  return (
    <div class="run-head">
      <div>
        <h2 id="run-title">
          Job <code>{shortId(job.id)}</code>, recipe {job.request.recipe}
        </h2>
        <p class="quiet small">{subjectOf(job)}</p>
        <p class="quiet small">{settingsOf(job)}</p>
        <p class="quiet small">{placeOf(curve.status, curve.device ?? job.engine?.device)}</p>
      </div>
      <div role="status">
        <Status status={curve.status} />
      </div>
      <Cancel key={job.id} job={job} status={curve.status} reload={reload} />
    </div>
  );
}

/** The device that trains the job, or why there is none. */
function placeOf(status: Job['status'], device: string | undefined): string {
  if (device) return device;
  if (status === 'queued') return 'Waiting for a worker';
  return status === 'running' ? 'Starting' : 'Ended before it began';
}

function Cancel({ job, status, reload }: { job: Job; status: Job['status']; reload: () => void }) {
  const { client, ask } = useApp().api;
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isAway, setAway] = useState(false);
  const isOver = status !== 'queued' && status !== 'running';
  const cancel = async () => {
    setAsked(true);
    const outcome = await ask(client.POST('/jobs/{id}/cancel', { params: { path: { id: job.id } } }));
    setProblem(outcome.ok ? null : outcome.problem);
    if (!outcome.ok) setAsked(false);
    setAway(!outcome.ok && isUnreachable(outcome.problem));
    reload();
  };
  return (
    <>
      {!isOver && (
        <button type="button" class="button" aria-disabled={isAsked} onClick={() => isAsked || void cancel()}>
          {isAsked ? 'Cancelling…' : 'Cancel'}
        </button>
      )}
      {isAway && !isOver && <p role="alert">Not cancelled: the server did not answer.</p>}
      <ProblemNote problem={problem} />
    </>
  );
}

function Figures({ job, curve }: { job: Job | undefined; curve: Curve | undefined }) {
  const progress = curve?.progress;
  const last = curve?.epochs.at(-1);
  const place = curve?.status === 'queued' && curve.position !== null ? `place ${curve.position}` : null;
  const figures: [string, string | null | undefined][] = [
    ['Time left', place ?? (progress && (curve.status === 'running' ? duration(progress.etaSeconds) : null))],
    ['Epoch', progress && `${progress.epoch} of ${progress.epochs}`],
    ['Step', progress && `${count(progress.step)} of ${count(progress.steps)}`],
    ['Loss', progress && loss(progress.loss)],
    ['Images/s', progress && count(progress.imagesPerSecond)],
    ['Test accuracy', last && percent(last.testAccuracy, 2)],
    ['Time', job && timeOf(job)],
  ];
  return (
    <dl class="facts">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What was decided about the newest version about which something was. */
function decidedLast(job: Job | undefined, curve: Curve | undefined): string | null {
  const decided = curve?.epochs.findLast((epoch) => epoch.promotion)?.promotion ?? job?.promotion;
  return decided ? explainDecision(decided) : null;
}

function timeOf({ startedAt, finishedAt }: Job): string | null {
  if (startedAt === null) return null;
  return duration(((finishedAt ? Date.parse(finishedAt) : Date.now()) - Date.parse(startedAt)) / 1000);
}

function troubleOf(job: Job | undefined, curve: Curve | undefined) {
  const error = curve?.trouble ?? job?.error ?? null;
  return error && { code: error.code, detail: error.message };
}

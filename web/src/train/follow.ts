/** Curves of the jobs that are shown: of running ones as they happen, of ended ones as they were. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { watchJob } from '../../../src/client/index.ts';
import { ask, client, type Job } from '../api/client.ts';
import { pause } from '../api/wait.ts';
import { type Curve, curveOf, emptyCurve, foldEvent } from './curve.ts';

const showEveryMs = 100; // a stream may bring its whole past at once
const againMs = 2000;

/** By the job's id; those that nobody looks at any more stay as they were last. */
export const curves = signal<Readonly<Record<string, Curve>>>({});

const followed = new Map<string, AbortController>();

/** Follows these jobs and no others until the component goes. */
export function useCurves(jobs: readonly Pick<Job, 'id' | 'finishedAt'>[]): void {
  useEffect(() => {
    const wanted = new Set(jobs.map(({ id }) => id));
    for (const [id, ending] of followed) {
      if (wanted.has(id)) continue;
      ending.abort();
      followed.delete(id);
    }
    for (const job of jobs) if (!followed.has(job.id)) follow(job);
  }, [jobs.map(({ id }) => id).join()]);
  useEffect(() => unfollowAll, []);
}

function unfollowAll(): void {
  for (const ending of followed.values()) ending.abort();
  followed.clear();
}

function follow({ id, finishedAt }: Pick<Job, 'id' | 'finishedAt'>): void {
  const ending = new AbortController();
  followed.set(id, ending);
  const following = finishedAt === null ? followEvents(id, ending.signal) : readMetrics(id, ending.signal);
  following.catch(() => followed.delete(id)); // called off, or refused: the list says what is with the job
}

async function followEvents(id: string, ended: AbortSignal): Promise<void> {
  let curve = emptyCurve;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    timer = undefined;
    curves.value = { ...curves.value, [id]: curve };
  };
  for await (const event of watchJob(client, id, { signal: ended })) {
    curve = foldEvent(curve, event);
    timer ??= setTimeout(show, showEveryMs);
  }
}

async function readMetrics(id: string, ended: AbortSignal): Promise<void> {
  if (curves.value[id]?.status && isOver(curves.value[id])) return; // it does not change any more
  while (!ended.aborted) {
    const outcome = await ask(client.GET('/jobs/{id}/metrics', { params: { path: { id } }, signal: ended }));
    if (outcome.ok) {
      curves.value = { ...curves.value, [id]: curveOf(outcome.data) };
      return;
    }
    if (outcome.problem.status === 404) return;
    await pause(1000 * (outcome.problem.retryAfterSeconds ?? againMs / 1000), ended);
  }
}

function isOver({ status }: Curve): boolean {
  return status !== 'queued' && status !== 'running';
}

/** Curves of the jobs that are shown: of running ones as they happen, of ended ones as they were. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { watchJob } from '../../../src/client/index.ts';
import { ask, client, type Job } from '../api/client.ts';
import { pause } from '../api/wait.ts';
import { type Curve, curveOf, emptyCurve, foldEvent } from './curve.ts';

type Followed = Pick<Job, 'id' | 'finishedAt'>;

const showEveryMs = 100; // a stream may bring its whole past at once
const againMs = 2000;
const mostStreams = 2; // a browser has six connections to a server, and other tabs may be open

/** By the job's id; those that nobody looks at any more stay as they were last. */
export const curves = signal<Readonly<Record<string, Curve>>>({});

const isHidden = signal(document.hidden);
document.addEventListener('visibilitychange', () => {
  isHidden.value = document.hidden;
});

const followed = new Map<string, { readonly ending: AbortController; readonly isStream: boolean }>();
/** What the streams have brought so far: one that is opened again goes on there. */
const brought = new Map<string, { readonly curve: Curve; readonly last: number }>();

/** Follows these jobs, the first ones by streams, and no others, as long as the component is there to be seen. */
export function useCurves(jobs: readonly Followed[]): void {
  const wanted = isHidden.value ? [] : jobs;
  useEffect(() => {
    const streams = wanted.filter(({ finishedAt }) => finishedAt === null).slice(0, mostStreams);
    const isStream = new Map(wanted.map((job) => [job.id, streams.includes(job)]));
    for (const [id, now] of followed) if (isStream.get(id) !== now.isStream) unfollow(id);
    for (const [id, byStream] of isStream) if (!followed.has(id)) follow(id, byStream);
  }, [wanted.map(({ id }) => id).join()]);
  useEffect(
    () => () => {
      for (const id of followed.keys()) unfollow(id);
    },
    [],
  );
}

function unfollow(id: string): void {
  followed.get(id)?.ending.abort();
  followed.delete(id);
}

function follow(id: string, isStream: boolean): void {
  const ending = new AbortController();
  followed.set(id, { ending, isStream });
  const following = isStream ? followEvents(id, ending.signal) : readMetrics(id, ending.signal);
  following.catch(() => undefined); // called off, or refused: the list says what is with the job
}

async function followEvents(id: string, ended: AbortSignal): Promise<void> {
  let { curve, last } = brought.get(id) ?? { curve: emptyCurve, last: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    timer = undefined;
    curves.value = { ...curves.value, [id]: curve };
  };
  for await (const event of watchJob(client, id, { signal: ended, after: last })) {
    curve = foldEvent(curve, event);
    last = event.id;
    brought.set(id, { curve, last });
    timer ??= setTimeout(show, showEveryMs);
  }
}

/** Until the job has ended. */
async function readMetrics(id: string, ended: AbortSignal): Promise<void> {
  while (!ended.aborted && !isOver(curves.value[id])) {
    const outcome = await ask(client.GET('/jobs/{id}/metrics', { params: { path: { id } }, signal: ended }));
    if (outcome.ok) curves.value = { ...curves.value, [id]: curveOf(outcome.data) };
    else if (outcome.problem.status === 404) return;
    if (outcome.ok && isOver(curves.value[id])) return;
    const told = outcome.ok ? null : outcome.problem.retryAfterSeconds;
    await pause(told === null ? againMs : 1000 * told, ended);
  }
}

function isOver(curve: Curve | undefined): boolean {
  return curve !== undefined && curve.status !== 'queued' && curve.status !== 'running';
}

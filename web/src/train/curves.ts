/** Curves of the jobs that are shown: of running jobs from their events, of ended ones from their metrics. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Job, pause, watchJob } from '../../../src/client/index.ts';
import { type App, useStore } from '../app-context.ts';
import { type Curve, curveOf, emptyCurve, foldEvent } from './curve.ts';

type Followed = Pick<Job, 'id' | 'finishedAt'>;

export type Curves = {
  /** By the job's id; curves of jobs that are no longer followed stay as they were last. */
  readonly byId: ReadonlySignal<Readonly<Record<string, Curve>>>;
  /** Follows these jobs and no others; the first running ones by event streams. */
  readonly follow: (jobs: readonly Followed[]) => void;
};

const showEveryMs = 100; // a new stream may bring all past events at once
const pollEveryMs = 2000;
const maxStreams = 2; // a browser has six connections to a server, and other tabs may be open

export function createCurves(app: App): Curves {
  const byId = signal<Readonly<Record<string, Curve>>>({});
  const show = (id: string, curve: Curve) => {
    byId.value = { ...byId.value, [id]: curve };
  };
  const followed = new Map<string, { readonly ending: AbortController; readonly isStream: boolean }>();
  const followEvents = createEventFollower(app, show);
  const start = (id: string, isStream: boolean) => {
    const ending = new AbortController();
    followed.set(id, { ending, isStream });
    const following = isStream
      ? followEvents(id, ending.signal)
      : pollMetrics(app, id, { show, known: () => byId.value[id], ended: ending.signal });
    following.catch(() => undefined); // aborted, or refused: the list of jobs shows the problem
  };
  return {
    byId,
    follow: (jobs) => {
      const streams = jobs.filter(({ finishedAt }) => finishedAt === null).slice(0, maxStreams);
      const wanted = new Map(jobs.map((job) => [job.id, streams.includes(job)]));
      for (const [id, { ending, isStream }] of followed) {
        if (wanted.get(id) === isStream) continue;
        ending.abort();
        followed.delete(id);
      }
      for (const [id, isStream] of wanted) if (!followed.has(id)) start(id, isStream);
    },
  };
}

/** Follows jobs by their events; a stream that is opened again continues after the last event received. */
function createEventFollower({ api: { client } }: App, show: (id: string, curve: Curve) => void) {
  const received = new Map<string, { readonly curve: Curve; readonly last: number }>();
  return async (id: string, ended: AbortSignal): Promise<void> => {
    let { curve, last } = received.get(id) ?? { curve: emptyCurve, last: 0 };
    let timer: ReturnType<typeof setTimeout> | undefined;
    for await (const event of watchJob(client, id, { signal: ended, after: last })) {
      curve = foldEvent(curve, event);
      last = event.id;
      received.set(id, { curve, last });
      timer ??= setTimeout(() => {
        timer = undefined;
        show(id, curve);
      }, showEveryMs);
    }
  };
}

type Polling = {
  readonly show: (id: string, curve: Curve) => void;
  readonly known: () => Curve | undefined;
  readonly ended: AbortSignal;
};

/** Reads a job's metrics until the job has ended. */
async function pollMetrics({ api }: App, id: string, { show, known, ended }: Polling): Promise<void> {
  while (!ended.aborted && !isOver(known())) {
    const call = api.client.GET('/jobs/{id}/metrics', { params: { path: { id } }, signal: ended });
    const outcome = await api.ask(call);
    if (outcome.ok) show(id, curveOf(outcome.data));
    else if (outcome.problem.status === 404) return;
    if (outcome.ok && isOver(known())) return;
    const retryAfter = outcome.ok ? null : outcome.problem.retryAfterSeconds;
    await pause(retryAfter === null ? pollEveryMs : 1000 * retryAfter, ended);
  }
}

function isOver(curve: Curve | undefined): boolean {
  return curve !== undefined && curve.status !== 'queued' && curve.status !== 'running';
}

/** Keeps the curves of these jobs up to date while the component is shown and the page visible. */
export function useCurves(jobs: readonly Followed[]): void {
  const { follow } = useStore(createCurves);
  const ids = jobs.map(({ id }) => id).join();
  useEffect(() => {
    const followVisible = () => follow(document.hidden ? [] : jobs);
    followVisible();
    document.addEventListener('visibilitychange', followVisible);
    return () => document.removeEventListener('visibilitychange', followVisible);
  }, [ids]);
  useEffect(() => () => follow([]), []);
}

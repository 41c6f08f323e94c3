/** The loss curve of a run, read from its events. */
import type { TrainJob } from '../contract.ts';
import { type EventLog, readLog } from '../event-log.ts';
import type { JobEvent, JobMetrics } from '../events.ts';

type Point = JobMetrics['curve'][number];

const maxPoints = 1000;
const pageSize = 500; // events; other requests are served between two pages

export async function readMetrics(log: EventLog, job: TrainJob): Promise<JobMetrics> {
  const { id, status, epochs, progress } = job;
  return { id, status, steps: progress?.steps ?? null, curve: thin(await readCurve(log)), epochs };
}

async function readCurve(log: EventLog): Promise<Point[]> {
  let points: Point[] = [];
  for (let first = 1; ; first += pageSize) {
    const page = await readLog(log, first, pageSize);
    for (const text of page) points = extend(points, JSON.parse(text) as JobEvent);
    if (page.length < pageSize) return points;
  }
}

/** An attempt that resumes at an earlier step replaces the points after that step. */
function extend(points: Point[], event: JobEvent): Point[] {
  if (event.type === 'started') return points.filter(({ step }) => step <= (event.resumedFromStep ?? 0));
  if (event.type !== 'progress') return points;
  const { step, epoch, loss, imagesPerSecond } = event;
  points.push({ step, epoch, loss, imagesPerSecond });
  return points;
}

/** Every nth point, counted from the last one. */
export function thin<T>(points: readonly T[], most = maxPoints): T[] {
  const stride = Math.ceil(points.length / most);
  const last = points.length - 1;
  return points.filter((_, index) => (last - index) % stride === 0);
}

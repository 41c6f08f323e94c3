/** The last event of a job. It is told by whoever sees first that the job has ended: its worker, or the API. */
import type { TrainJob } from './contract.ts';
import { appendDone, type EventLog } from './event-log.ts';

/** False while the job goes on. */
export async function tellEnding(log: EventLog, job: TrainJob): Promise<boolean> {
  const { status, modelVersion, error, finishedAt } = job;
  if (status === 'queued' || status === 'running') return false;
  await appendDone(log, { type: 'done', at: finishedAt!, status, modelVersion, error });
  return true;
}

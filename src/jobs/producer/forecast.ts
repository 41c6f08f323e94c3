/** How long a training will take, by what the workers have measured on the jobs before it. */
import type { DatasetDescription } from '../../model/data/dataset.ts';
import { buildNetwork } from '../../model/network/network.ts';
import { workOfEpoch } from '../../model/training/work.ts';
import type { ResolvedRequest, TrainJob } from '../contract.ts';
import type { JobQueue } from './queue.ts';

const jobsLookedAt = 20; // the newest that have succeeded

export type Forecast = {
  readonly seconds: number; // at most, where the training may end earlier
  readonly measuredOn: string; // the id of the job
};

/** Null where no job has been measured yet. The newest job with the same network counts, or else the newest. */
export async function forecast(
  request: ResolvedRequest,
  dataset: DatasetDescription,
  queue: Pick<JobQueue, 'list'>,
  describe: (name: string) => Promise<DatasetDescription | null>,
): Promise<Forecast | null> {
  const { data } = await queue.list({ status: 'succeeded', limit: jobsLookedAt });
  const measured = data.filter(({ epochs }) => epochs.length > 0);
  const isAlike = (job: TrainJob) => JSON.stringify(job.request.network) === JSON.stringify(request.network);
  for (const job of [...measured.filter(isAlike), ...measured]) {
    const itsDataset = await describe(job.request.dataset).catch(() => null); // damaged
    if (!itsDataset) continue; // removed since
    const seconds = job.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const rate = (job.epochs.length * workOf(job.request, itsDataset)) / seconds;
    return { seconds: (request.epochs * workOf(request, dataset)) / rate, measuredOn: job.id };
  }
  return null;
}

function workOf(request: ResolvedRequest, dataset: DatasetDescription): number {
  return workOfEpoch(request, buildNetwork(request.network, dataset.labels.length), dataset);
}

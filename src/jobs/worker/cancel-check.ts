/** The cancel check: reads the cancel mark of the running job. It works whichever process set the mark, and when. */
import { Job, type Worker } from '../bullmq.ts';
import type { TrainJobData } from '../contract.ts';
import type { BullJob } from '../job-view.ts';
import type { StopReason } from './options.ts';

/** Checks every `everyMs` and aborts the job's signal once it is marked. Returns a function that stops checking. */
export function checkForCancel(
  worker: Worker<TrainJobData, null>,
  { id }: BullJob,
  everyMs: number,
): () => void {
  let isChecking = false; // without Redis a check waits for it; more of them would pile up
  const check = async () => {
    if (isChecking) return;
    isChecking = true;
    try {
      const job: BullJob | undefined = await Job.fromId(worker, id!);
      if (job && job.data.cancelRequestedAt !== null)
        worker.cancelJob(id!, 'cancel requested' satisfies StopReason);
    } catch {
      // The next check tries again.
    } finally {
      isChecking = false;
    }
  };
  const timer = setInterval(() => void check(), everyMs);
  return () => clearInterval(timer);
}

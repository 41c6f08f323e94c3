/** Shows the first training on the launcher's terminal. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TrainJob } from '../jobs/contract.ts';
import { type Output, openProgressDisplay, trainingLine } from '../lib/progress-line.ts';

const lookEveryMs = 250;

/** Reads the job with `read` and shows it until it has ended. */
export async function showTraining(
  read: () => Promise<TrainJob>,
  output: Output,
  signal: AbortSignal,
): Promise<TrainJob> {
  const display = openProgressDisplay(output);
  let announced = false;
  for (;;) {
    const job = await read();
    if (job.engine && !announced) {
      display.say(trainingLine(job, job.engine.device));
      announced = true;
    }
    if (job.progress) display.show(job.progress);
    if (job.finishedAt !== null) {
      display.finish();
      return job;
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** A training run for people to look at: one line that is redrawn on a terminal, plain lines in a pipe. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TrainJob } from '../jobs/contract.ts';

type Output = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

const barWidth = 24; // characters
const lookEveryMs = 250;
const plainEveryMs = 5000;

/** Reads the job with `read` and shows it until it has ended. */
export async function showTraining(
  read: () => Promise<TrainJob>,
  output: Output,
  signal: AbortSignal,
): Promise<TrainJob> {
  let shownAt = Number.NEGATIVE_INFINITY;
  let announced = false;
  for (;;) {
    const job = await read();
    const ended = job.finishedAt !== null;
    if (job.engine && !announced) {
      output.write(
        `training ${job.request.dataset}, recipe "${job.request.recipe}", on ${job.engine.device}\n`,
      );
      announced = true;
    }
    const due = output.isTTY || ended || performance.now() - shownAt > plainEveryMs;
    if (job.progress && due) {
      const line = progressLine(job.progress);
      output.write(output.isTTY ? `\r\u001B[K${line.slice(0, (output.columns ?? 80) - 1)}` : `${line}\n`);
      shownAt = performance.now();
    }
    if (ended) {
      if (output.isTTY) output.write('\n');
      return job;
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** `epoch 1/1  [████████░░░░]  67 %  step 628/938  loss 0.5213  1,900 images/s  11 s left` */
export function progressLine(progress: NonNullable<TrainJob['progress']>): string {
  const { epoch, epochs, step, steps, fraction, loss, imagesPerSecond, etaSeconds } = progress;
  const filled = Math.round(fraction * barWidth);
  const bar = `[${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}]`;
  const percent = `${Math.floor(100 * fraction)} %`.padStart(5);
  const rate = `${Math.round(imagesPerSecond).toLocaleString('en')} images/s`;
  const counts = `epoch ${epoch}/${epochs}  step ${step}/${steps}`;
  return `${bar} ${percent}  ${counts}  loss ${loss.toFixed(4)}  ${rate}  ${Math.ceil(etaSeconds)} s left`;
}

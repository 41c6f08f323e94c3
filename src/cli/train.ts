/** `trainyard train`. */
import { answerOf, type TrainRequest } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { watch } from './watch.ts';

type TrainOptions = TrainRequest & { readonly watch?: boolean };

/** @returns the exit code; with --watch that of the job */
export async function train(context: CommandContext, options: TrainOptions): Promise<number> {
  const { watch: wantsWatch = false, ...body } = options; // the options are named as the fields are
  const job = await answerOf(context.client.POST('/jobs/train', { body }));
  if (wantsWatch) return watch(context, job.id);
  const place = job.queuePosition === null ? job.status : `queued, number ${job.queuePosition} in line`;
  if (context.json) writeJson(context, job);
  else writeLine(context.stdout, `job ${job.id} is ${place}\n  npx trainyard watch ${job.id}`);
  return 0;
}

/** `trainyard train`. */
import { answerOf, queueJob, type TrainRequest, tryJob } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { watch } from './watch.ts';

type TrainOptions = TrainRequest & { readonly watch?: boolean; readonly dryRun?: boolean };

/** @returns the exit code; with --watch that of the job */
export async function train(context: CommandContext, options: TrainOptions): Promise<number> {
  const { watch: wantsWatch = false, dryRun = false, ...body } = options; // the options are named as the fields are
  if (dryRun) return tryOut(context, body);
  const job = await answerOf(queueJob(context.client, body));
  if (wantsWatch) return watch(context, job.id);
  const place = job.queuePosition === null ? job.status : `queued, number ${job.queuePosition} in line`;
  if (context.json) writeJson(context, job);
  else writeLine(context.stdout, `job ${job.id} is ${place}\n  npx trainyard watch ${job.id}`);
  return 0;
}

/** Says what the job would do; queues nothing. */
async function tryOut(context: CommandContext, body: TrainRequest): Promise<number> {
  const tried = await tryJob(context.client, body);
  if (context.json) {
    writeJson(context, tried);
    return 0;
  }
  const { request, forecast, warnings } = tried;
  const values = Object.entries(request).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  const expected =
    forecast === null ? 'unknown until a first job has run' : `${Math.ceil(forecast.seconds)} s at most`;
  writeLine(context.stdout, ['would train with', ...values, `expected time: ${expected}`].join('\n'));
  for (const { message } of warnings) writeLine(context.stdout, `warning: ${message}`);
  return 0;
}

/** `trainyard train`. */
import { answerOf, type TrainRequest } from '../client/index.ts';
import { type Session, writeJson, writeLine } from './session.ts';
import { watch } from './watch.ts';

type TrainOptions = TrainRequest & { readonly watch?: boolean };

/** @returns the exit code; with --watch that of the job */
export async function train(session: Session, options: TrainOptions): Promise<number> {
  const { watch: wantsWatch = false, ...body } = options; // the options are named as the fields are
  const job = await answerOf(session.client.POST('/jobs/train', { body }));
  if (wantsWatch) return watch(session, job.id);
  const place = `number ${job.queuePosition} in line`;
  if (session.json) writeJson(session, job);
  else writeLine(session.stdout, `job ${job.id} is queued, ${place}\n  npx trainyard watch ${job.id}`);
  return 0;
}

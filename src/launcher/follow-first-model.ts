/** What the launcher says about the model: which version answers, and the first training where there is none yet. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  answerWhenAvailable,
  type Job,
  type JobEvent,
  type TrainyardClient,
  watchJob,
} from '../client/index.ts';
import { TrainyardError } from '../lib/errors.ts';
import { type Output, openProgressDisplay, trainingLine } from '../lib/progress-line.ts';

const servedWithinMs = 30_000;
const pollEveryMs = 100;

/**
 * Prints which model version answers. Without a version, shows the training under way and waits for its model.
 *
 * @throws TrainyardError `NOT_SERVED` when the new version does not answer in time
 */
export async function followFirstModel(
  client: TrainyardClient,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string) => output.write(`${text}\n`);
  const query = { limit: 100 };
  const models = await answerWhenAvailable(
    () => client.GET('/models', { params: { query }, signal }),
    signal,
  );
  const served = models.data.find((model) => model.served);
  if (served) say(describeModel(served.version, served.metrics.testAccuracy));
  if (models.data.length > 0) return;
  const jobs = await answerWhenAvailable(
    () => client.GET('/jobs', { params: { query: { limit: 1 } }, signal }),
    signal,
  );
  const [job] = jobs.data;
  if (!job || job.finishedAt !== null) return;
  await showTraining(job, watchJob(client, job.id, { signal }), output);
  const path = { id: job.id };
  const ended = await answerWhenAvailable(
    () => client.GET('/jobs/{id}', { params: { path }, signal }),
    signal,
  );
  const last = ended.epochs.at(-1);
  if (ended.status === 'succeeded' && last) {
    const { champion = last.modelVersion } = last.promotion ?? {}; // an epoch before may be better than the last
    await untilServed(client, champion, signal);
    const accuracyOf = new Map(ended.epochs.map((epoch) => [epoch.modelVersion, epoch.testAccuracy]));
    say(describeModel(champion, accuracyOf.get(champion) ?? last.testAccuracy));
  } else {
    say(`the first training ended as ${ended.status}: ${ended.error?.message ?? 'no reason given'}`);
  }
}

function describeModel(version: number, testAccuracy: number): string {
  return `model ${version}: ${(100 * testAccuracy).toFixed(2)} % of the test images right`;
}

/** Shows a job's progress until it is done. */
export async function showTraining(
  job: Pick<Job, 'request'>,
  events: AsyncIterable<JobEvent>,
  output: Output,
): Promise<void> {
  const display = openProgressDisplay(output);
  let announced = false;
  try {
    for await (const event of events) {
      if (event.type === 'progress') display.show(event);
      if (event.type !== 'started' || announced) continue;
      display.say(trainingLine(job, event.engine.device));
      announced = true;
    }
  } finally {
    display.finish();
  }
}

/** Waits until the predictor has loaded the version, a few hundred milliseconds after it was published. */
async function untilServed(client: TrainyardClient, version: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + servedWithinMs;
  const read = () => client.GET('/models/{version}', { params: { path: { version } }, signal });
  while (!(await answerWhenAvailable(read, signal)).served) {
    if (performance.now() > deadline) {
      const message = `expected model ${version} to be served within ${servedWithinMs / 1000} s; LOG_LEVEL=info tells more`;
      throw new TrainyardError('NOT_SERVED', message);
    }
    await delay(pollEveryMs, undefined, { signal });
  }
}

/** Jobs that a worker seems to run: their locks are held, and their progress is told as a worker's reporter tells it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { emptyReport, resolveRequest, trainRequestSchema } from '../../src/jobs/contract.ts';
import {
  appendDone,
  appendReport,
  channelOf,
  type EventLog,
  type ReportResult,
} from '../../src/jobs/event-log.ts';
import { openQueue } from '../../src/jobs/producer/queue.ts';
import { describeBuiltIn } from '../../src/model/data/built-in.ts';

const token = 'bench';
const followedWithinMs = 30_000;

export type Jobs = {
  readonly ids: readonly string[];
  readonly logs: readonly EventLog[];
  /** Resolves when the API has subscribed to all of them, and the other streams have had a moment to open. */
  untilFollowed(): Promise<void>;
  close(): Promise<void>;
};

export async function openJobs(redisUrl: string, count: number): Promise<Jobs> {
  const queue = openQueue({ redisUrl, onError: () => {} });
  const redis = new Redis(redisUrl);
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const result = await queue.enqueue(
      resolveRequest(trainRequestSchema.parse({}), describeBuiltIn('mnist')),
    );
    if (result.outcome !== 'queued') throw new Error(`expected a queued job, got ${result.outcome}`);
    ids.push(result.job.id);
  }
  const logs = ids.map((id): EventLog => ({ redis, key: `trainyard:train:${id}` }));
  for (const { key } of logs) await redis.set(`${key}:lock`, token);
  return {
    ids,
    logs,
    untilFollowed: () => untilSubscribed(redis, logs),
    close: async () => {
      const at = new Date().toISOString();
      for (const log of logs)
        await appendDone(log, { type: 'done', at, status: 'succeeded', modelVersion: null, error: null });
      await queue.close();
      redis.disconnect();
    },
  };
}

async function untilSubscribed(redis: Redis, logs: readonly EventLog[]): Promise<void> {
  const deadline = performance.now() + followedWithinMs;
  const channels = logs.map(({ key }) => channelOf(key));
  for (;;) {
    const counts = (await redis.pubsub('NUMSUB', ...channels)) as (string | number)[];
    if (counts.filter((_, index) => index % 2 === 1).every((count) => Number(count) > 0)) break;
    if (performance.now() > deadline) throw new Error('expected the API to follow every job, it does not');
    await delay(100);
  }
  await delay(2000);
}

/** Tells one update after the other, of the jobs in turn. */
export async function tellJobs({ logs }: Jobs, perSecond: number, seconds: number): Promise<void> {
  const startedAt = performance.now();
  const total = perSecond * seconds;
  const pending: Promise<ReportResult>[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    for (; sent < due; sent++) pending.push(tell(logs[sent % logs.length]!, sent, total));
    await delay(2);
  }
  const told = await Promise.all(pending);
  if (told.some((result) => result !== 'written'))
    throw new Error('expected every update to be taken, one was not');
}

function tell(log: EventLog, sent: number, steps: number): Promise<ReportResult> {
  const progress = {
    epoch: 1,
    epochs: 1,
    step: sent + 1,
    steps,
    fraction: (sent + 1) / steps,
    loss: 1 / (sent + 1),
    imagesPerSecond: 3451.2,
    etaSeconds: 12.3,
  };
  const event = { type: 'progress', at: new Date().toISOString(), ...progress } as const;
  return appendReport(log, {
    token,
    mark: String(sent),
    report: { ...emptyReport, progress },
    events: [event],
  });
}

/** Heartbeats of the workers: each worker keeps a key in Redis, which expires when it is not renewed. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Outage } from './redis/outage.ts';

export type WorkerState = {
  readonly device: string; // what the worker computes on, as shown to people
  readonly trouble: string | null; // why it takes no jobs
};

export type Heartbeat = { stop(): void };

const missedBeats = 3; // after which a worker counts as gone

/** Announces a worker every `renewMs` until it is stopped. While Redis is away, nothing is sent. */
export function announceWorker(
  redis: Redis,
  prefix: string,
  device: string,
  outage?: Outage,
  renewMs = 5000,
): Heartbeat {
  const id = `${hostname()}:${randomUUID()}`; // docker/healthcheck.mjs looks for its host's
  const keys = [workersKey(prefix), workerKey(prefix, id)] as const;
  const beat = () => {
    if (redis.status !== 'ready') return;
    const state = JSON.stringify({ device, trouble: outage?.reason() ?? null } satisfies WorkerState);
    const sent = redis
      .multi()
      .sadd(keys[0], id)
      .set(keys[1], state, 'PX', missedBeats * renewMs)
      .exec();
    sent.then(
      () => outage?.worked('heartbeat'),
      (error: unknown) => outage?.failed('heartbeat', error),
    );
  };
  beat();
  const timer = setInterval(beat, renewMs);
  const stop = () => {
    clearInterval(timer);
    if (redis.status !== 'ready') return;
    const sent = redis.multi().srem(keys[0], id).del(keys[1]).exec();
    sent.catch(() => {}); // the key expires
  };
  return { stop };
}

/** The states of all workers whose heartbeat is fresh. */
export async function readWorkers(redis: Redis, prefix: string): Promise<WorkerState[]> {
  const ids = await redis.smembers(workersKey(prefix));
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => workerKey(prefix, id)));
  const gone = ids.filter((_, index) => texts[index] === null);
  if (gone.length > 0) await redis.srem(workersKey(prefix), gone).catch(() => {}); // a replica refuses
  return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as WorkerState);
}

const workersKey = (prefix: string) => `${prefix}:workers`;
const workerKey = (prefix: string, id: string) => `${prefix}:workers:${id}`;

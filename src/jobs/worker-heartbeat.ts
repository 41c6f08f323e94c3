/** Heartbeats of the workers: each keeps a key in Redis that expires when it is not renewed. */
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Outage } from './redis/outage.ts';

export type WorkerState = {
  readonly device: string; // what it computes on, for people
  readonly trouble: string | null; // why it takes no jobs
};

const livesMs = 15_000;
const renewMs = 5000;
let announced = 0; // by this process

export type Heartbeat = {
  /** Announces the worker now, as it is now. */
  beat(): void;
  stop(): void;
};

/** Announces a worker every few seconds until it is stopped. While Redis is away it is not announced. */
export function announceWorker(redis: Redis, prefix: string, device: string, outage?: Outage): Heartbeat {
  const id = `${hostname()}:${process.pid}:${++announced}`;
  const keys = [rosterKey(prefix), workerKey(prefix, id)] as const;
  const beat = () => {
    if (redis.status !== 'ready') return;
    const state: WorkerState = { device, trouble: outage?.reason() ?? null };
    const sent = redis.multi().sadd(keys[0], id).set(keys[1], JSON.stringify(state), 'PX', livesMs).exec();
    sent.then(
      () => outage?.worked('heartbeat'),
      (error: unknown) => outage?.failed('heartbeat', error),
    );
  };
  beat();
  const timer = setInterval(beat, renewMs);
  const stop = () => {
    clearInterval(timer);
    if (redis.status === 'ready')
      void redis
        .multi()
        .srem(keys[0], id)
        .del(keys[1])
        .exec()
        .catch(() => {}); // it expires
  };
  return { beat, stop };
}

/** All workers that are there. */
export async function readWorkers(redis: Redis, prefix: string): Promise<WorkerState[]> {
  const ids = await redis.smembers(rosterKey(prefix));
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => workerKey(prefix, id)));
  const gone = ids.filter((_, index) => texts[index] === null);
  if (gone.length > 0) await redis.srem(rosterKey(prefix), gone).catch(() => {}); // a replica can't forget
  return texts.filter((text) => text !== null).map(parseState);
}

/** Workers of an earlier version wrote their device alone. */
function parseState(text: string): WorkerState {
  if (!text.startsWith('{')) return { device: text, trouble: null };
  return JSON.parse(text) as WorkerState;
}

const rosterKey = (prefix: string) => `${prefix}:workers`;
const workerKey = (prefix: string, id: string) => `${prefix}:workers:${id}`;

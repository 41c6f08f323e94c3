/** What each worker computes on, for whoever asks: a key of its own for each, which runs out when it is not renewed. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

const livesMs = 15_000;
const renewMs = 5000;

/** Announces a worker until the function that it returns is called. Without Redis nothing is announced, nor waited for. */
export function announceWorker(redis: Redis, prefix: string, device: string): () => void {
  const id = randomUUID();
  const keys = [rosterKey(prefix), workerKey(prefix, id)] as const;
  const announce = () => {
    if (redis.status !== 'ready') return;
    const sent = redis.multi().sadd(keys[0], id).set(keys[1], device, 'PX', livesMs).exec();
    sent.catch(() => {}); // the next one may come through
  };
  announce();
  const timer = setInterval(announce, renewMs);
  return () => {
    clearInterval(timer);
    if (redis.status === 'ready')
      void redis
        .multi()
        .srem(keys[0], id)
        .del(keys[1])
        .exec()
        .catch(() => {});
  };
}

/** The devices of all workers that are there; forgets those that are gone. */
export async function readDevices(redis: Redis, prefix: string): Promise<string[]> {
  const ids = await redis.smembers(rosterKey(prefix));
  if (ids.length === 0) return [];
  const devices = await redis.mget(ids.map((id) => workerKey(prefix, id)));
  const gone = ids.filter((_, index) => devices[index] === null);
  if (gone.length > 0) await redis.srem(rosterKey(prefix), gone);
  return devices.filter((device) => device !== null);
}

const rosterKey = (prefix: string) => `${prefix}:workers`;
const workerKey = (prefix: string, id: string) => `${prefix}:workers:${id}`;

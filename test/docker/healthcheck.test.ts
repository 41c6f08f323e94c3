import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { announceWorker } from '../../src/jobs/worker-heartbeat.ts';
import { startRedisServer } from '../jobs/redis-server.ts';

const program = fileURLToPath(new URL('../../docker/healthcheck.mjs', import.meta.url));
const { url: REDIS_URL } = await startRedisServer();

/** The exit status of Docker's health check of a worker, and what it prints. */
async function check(): Promise<{ code: number; output: string }> {
  const env = { ...process.env, REDIS_URL };
  const run = promisify(execFile)(process.execPath, [program, 'worker'], { env });
  return run.then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout }) => ({ code, output: stdout }),
  );
}

describe('the health check of a worker', () => {
  it('passes while a worker of this host is announced, and fails before and afterwards', async () => {
    const redis = new Redis(REDIS_URL);
    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining('found none') });
    const heartbeat = announceWorker(redis, 'trainyard', 'a CPU');
    expect(await check()).toEqual({ code: 0, output: 'is announced\n' });
    heartbeat.stop();
    expect(await check()).toMatchObject({ code: 1 });
    await redis.quit();
  });
});

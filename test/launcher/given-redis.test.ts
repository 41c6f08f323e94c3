import { describe, expect, it } from 'vitest';
import { expectRedis } from '../../src/launcher/given-redis.ts';
import { createRedisServer } from '../jobs/redis-server.ts';

describe('a Redis that REDIS_URL names', () => {
  it('is taken when it answers, and refused when it does not, without its password', async () => {
    const server = await createRedisServer();
    const url = server.url.replace('//', '//user:secret@');
    const refusal = await expectRedis(url).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(String(refusal)).toMatch(/at 127\.0\.0\.1:\d+ to answer, got: .*ECONNREFUSED.*correct REDIS_URL/);
    expect(String(refusal)).not.toContain('secret');
    await server.start();
    await expectRedis(server.url);
  });

  it('is refused when it is frozen', async () => {
    const server = await createRedisServer();
    await server.start();
    server.pause();
    await expect(expectRedis(server.url)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  });
});

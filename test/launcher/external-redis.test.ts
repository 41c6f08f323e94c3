import { describe, expect, it } from 'vitest';
import { expectRedis } from '../../src/launcher/external-redis.ts';
import { createRedisServer } from '../jobs/redis-server.ts';

const server = await createRedisServer();

describe('a Redis that REDIS_URL names', () => {
  it('is refused while it does not answer, without its password', async () => {
    const refusal = await expectRedis(server.url.replace('//', '//user:secret@')).catch(String);
    expect(refusal).toMatch(/at 127\.0\.0\.1:\d+ to answer, got: .*ECONNREFUSED.*correct REDIS_URL/);
    expect(refusal).not.toContain('secret');
  });

  it('is taken when it answers, and refused when it is frozen', async () => {
    await server.start();
    await expect(expectRedis(server.url)).resolves.toBeUndefined();
    server.pause();
    await expect(expectRedis(server.url)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { problemOfRedisUrl } from '../../src/lib/redis-url.ts';
import { runs } from '../long.ts';

describe('a REDIS_URL', () => {
  it.each([
    'redis://127.0.0.1:6379',
    'redis://redis',
    'redis://redis/',
    'rediss://user:pass@redis.example:6380/15',
    'redis://:p%25a%23s%2Fs%40@redis:6379/0',
    'redis://redis?db=3&family=6',
    'redis://[::1]:6379/1',
    'REDIS://redis:6379',
  ])('may be %s', (url) => {
    expect(problemOfRedisUrl(url)).toBeNull();
    expect(readConfig({ REDIS_URL: url }).redisUrl).toBe(url);
  });

  it.each([
    ['redis://:pa%ss@redis:6379', /% as %25/],
    ['redis://:100%@redis:6379', /% as %25/],
    ['redis://:pa#ss@redis:6379', /# as %23/],
    ['redis://:pa/ss@redis:6379', /\/ as %2F/],
    ['redis://user:12/ss@redis', /\/ as %2F/],
    ['redis://:pa?ss@redis:6379', /\? as %3F/],
    ['redis://:pa@ss@redis:6379', /@ as %40/],
    ['redis://us%er:pass@redis', /% as %25/],
    ['redis://redis:6379/name', /number of a database.*got "name"/],
    ['redis://redis:6379/0/1', /number of a database/],
    ['redis://redis:6379/-1', /number of a database/],
    ['redis://redis:6379/1.5', /number of a database/],
    ['redis://redis?db=cache', /number of a database.*got "cache"/],
    ['redis://redis:6379#1', /"#"/],
    ['redis://redis:port', /expected redis:\/\//],
    ['redis://redis:70000', /expected redis:\/\//],
    ['redis://', /expected redis:\/\//],
    ['redis:6379', /expected redis:\/\//],
    ['localhost:6379', /expected redis:\/\//],
    ['http://redis:6379', /got "http:\/\/"/],
    ['unix:///run/redis.sock', /got "unix:\/\/"/],
  ])('is refused as %s, in a sentence that names it', (url, reason) => {
    const refused = expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`REDIS_URL=.*: expected .*`)),
    });
    expect(() => readConfig({ REDIS_URL: url })).toThrow(refused);
    expect(problemOfRedisUrl(url)).toMatch(reason);
  });

  it('with any password is taken when that is encoded, and never ends in a stack or shows it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), (password) => {
        expect(problemOfRedisUrl(`redis://me:${encodeURIComponent(password)}@redis:6379/2`)).toBeNull();
        const problem = problemOfRedisUrl(`redis://me:secret-${password}@redis:6379/2`);
        expect(problem ?? '').not.toContain('secret-');
      }),
      { numRuns: runs(2000) },
    );
  });
});

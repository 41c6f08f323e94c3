import { afterEach, describe, expect, it, vi } from 'vitest';
import { bypassProxy } from '../../src/lib/no-proxy.ts';

afterEach(() => vi.unstubAllEnvs());

/** What NO_PROXY and no_proxy are after requests to these URLs; the latter wins wherever both are read. */
function after(given: { NO_PROXY?: string; no_proxy?: string }, ...urls: string[]) {
  for (const name of ['NO_PROXY', 'no_proxy'] as const) vi.stubEnv(name, given[name]);
  for (const url of urls) bypassProxy(url);
  return [process.env['NO_PROXY'], process.env['no_proxy']];
}

describe('bypassProxy', () => {
  it.each([
    ['an unset one', {}, '127.0.0.1'],
    ['an empty one', { no_proxy: '', NO_PROXY: 'ignored.example' }, '127.0.0.1'],
    ['upper case', { NO_PROXY: 'a.example, b.example' }, 'a.example,b.example,127.0.0.1'],
    ['lower case', { no_proxy: 'a.example b.example' }, 'a.example,b.example,127.0.0.1'],
    ['both', { no_proxy: 'a.example', NO_PROXY: 'b.example' }, 'a.example,127.0.0.1'],
  ])('adds the host to %s', (_, given, list) => {
    expect(after(given, 'http://127.0.0.1:3000/jobs')).toEqual([list, list]);
  });

  it('adds each host once, and nothing to a list of all hosts', () => {
    const urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://[::1]:3', 'http://localhost'];
    expect(after({}, ...urls)[0]).toBe('127.0.0.1,[::1],localhost');
    expect(after({ NO_PROXY: '*' }, ...urls)).toEqual(['*', undefined]);
  });
});

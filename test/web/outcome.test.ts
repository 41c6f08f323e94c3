import { expect, it } from 'vitest';
import { isUnreachable, ProblemError } from '../../src/client/index.ts';
import { outcomeOf } from '../../web/src/api/outcome.ts';
import { parseRoute } from '../../web/src/route.ts';

const problem = {
  type: 'about:blank',
  title: 'Service Unavailable',
  status: 503,
  code: 'NO_MODEL',
  detail: 'none yet',
  instance: '/predict',
} as const;

it('an answer is data', async () => {
  expect(await outcomeOf(Promise.resolve(1))).toEqual({ ok: true, data: 1 });
});

it('a refusal is its problem, with when to try again', async () => {
  const refusal = (retryAfterSeconds: number | null) =>
    outcomeOf(Promise.reject(new ProblemError(problem, retryAfterSeconds)));
  expect(await refusal(3)).toEqual({ ok: false, problem: { ...problem, retryAfterSeconds: 3 } });
  expect(await refusal(null)).toMatchObject({ problem: { retryAfterSeconds: null } });
});

it('an aborted call is the problem ABORTED, any other error PAGE_FAILED with its message', async () => {
  const called = outcomeOf(Promise.reject(new DOMException('off', 'AbortError')));
  expect(await called).toMatchObject({ ok: false, problem: { code: 'ABORTED' } });
  const broken = outcomeOf(Promise.reject(new TypeError('broken')));
  expect(await broken).toMatchObject({ ok: false, problem: { code: 'PAGE_FAILED', detail: 'broken' } });
});

it('a server that is unreachable is told from one that refuses', () => {
  expect(isUnreachable({ code: 'SERVER_UNREACHABLE' })).toBe(true);
  expect(isUnreachable({ code: 'NO_MODEL' })).toBe(false);
});

it.each([
  ['', { view: 'draw', rest: [] }],
  ['#train/01a2-b3', { view: 'train', rest: ['01a2-b3'] }],
  ['#draw/test/12', { view: 'draw', rest: ['test', '12'] }],
  ['#models/%zz', { view: 'models', rest: ['%zz'] }],
  ['#nowhere', { view: 'draw', rest: [] }],
])('the address "%s" is read', (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
});

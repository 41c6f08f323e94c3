import { expect, it } from 'vitest';
import { isAbsence, outcomeOf } from '../../web/src/api/outcome.ts';
import { parseRoute } from '../../web/src/route.ts';

const problem = {
  type: 'about:blank',
  title: 'Service Unavailable',
  status: 503,
  code: 'NO_MODEL',
  detail: 'none yet',
  instance: '/predict',
} as const;

it('an answer is data, with the response for its headers', async () => {
  const response = new Response(null, { headers: { 'x-label': '7' } });
  const outcome = await outcomeOf(Promise.resolve({ data: 1, response }));
  expect(outcome).toEqual({ ok: true, data: 1, response });
});

it('a refusal is its problem, with when to try again', async () => {
  const refusal = (headers: Record<string, string>) =>
    outcomeOf(Promise.resolve({ error: problem, response: new Response(null, { status: 503, headers }) }));
  expect(await refusal({ 'retry-after': '3' })).toMatchObject({
    ok: false,
    problem: { code: 'NO_MODEL', detail: 'none yet', retryAfterSeconds: 3 },
  });
  expect(await refusal({})).toMatchObject({ problem: { retryAfterSeconds: null } });
});

it('what is called off is no fault, anything else thrown is one with its message', async () => {
  const called = outcomeOf(Promise.reject(new DOMException('off', 'AbortError')));
  expect(await called).toMatchObject({ ok: false, problem: { code: 'ABORTED' } });
  const broken = outcomeOf(Promise.reject(new TypeError('broken')));
  expect(await broken).toMatchObject({ ok: false, problem: { code: 'PAGE_FAILED', detail: 'broken' } });
});

it('a server that is not there is told from one that refuses', () => {
  expect(isAbsence({ code: 'SERVER_UNREACHABLE' })).toBe(true);
  expect(isAbsence({ code: 'NO_MODEL' })).toBe(false);
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

import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answerWhenAvailable, createClient, getReadiness } from '../../src/client/index.ts';
import { createBackoff } from '../../src/client/retry.ts';
import { sendProblem, serveEvents } from './event-server.ts';

const never = new AbortController().signal;
const jobs = '{"data":[],"hasMore":false}';

async function clientOf(listener: RequestListener) {
  const { url } = await serveEvents(listener);
  return createClient({ baseUrl: url });
}

describe('a call that is repeated until it is answered', () => {
  it('waits as long as a 429 says', async () => {
    const times: number[] = [];
    const client = await clientOf((_request, response) => {
      times.push(performance.now());
      if (times.length === 1) sendProblem(response, 429, { 'retry-after': '1' });
      else response.writeHead(200, { 'content-type': 'application/json' }).end(jobs);
    });
    expect(await answerWhenAvailable(() => client.GET('/jobs'), never)).toEqual(JSON.parse(jobs));
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });

  it('is repeated while the server is away, and while it answers with 503', async () => {
    let calls = 0;
    const client = await clientOf((request, response) => {
      calls++;
      if (calls === 1) request.socket.destroy();
      else if (calls === 2) sendProblem(response, 503);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(jobs);
    });
    expect(await answerWhenAvailable(() => client.GET('/jobs'), never)).toEqual(JSON.parse(jobs));
    expect(calls).toBe(3);
  });

  it('is not repeated after a problem that does not pass', async () => {
    const client = await clientOf((_request, response) => sendProblem(response, 401));
    const call = answerWhenAvailable(() => client.GET('/jobs'), never);
    await expect(call).rejects.toMatchObject({ message: 'told 401' });
  });

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const client = await clientOf((_request, response) => {
      sendProblem(response, 503, { 'retry-after': '60' });
      setImmediate(() => stop.abort(new Error('enough')));
    });
    await expect(answerWhenAvailable(() => client.GET('/jobs'), stop.signal)).rejects.toThrow('enough');
  });

  it('takes the readiness that comes with a 503 for an answer', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(503, { 'content-type': 'application/json; charset=utf-8' }).end('{"checks": {}}');
    });
    expect(await answerWhenAvailable(() => getReadiness(client), never)).toEqual({ checks: {} });
  });
});

describe('the wait for a server', () => {
  it('doubles from 0.25 s to 5 s, and begins anew when the server is heard', () => {
    const backoff = createBackoff();
    const waits = Array.from({ length: 7 }, () => backoff.next(null));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    backoff.reset();
    expect(backoff.next(null)).toBe(250);
  });

  it('begins as the server says, and is never shorter than it asks', () => {
    const backoff = createBackoff();
    backoff.setFirst(1000);
    expect([backoff.next(null), backoff.next(30), backoff.next(null)]).toEqual([1000, 30_000, 4000]);
  });
});

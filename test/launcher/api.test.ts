import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectApi } from '../../src/launcher/api.ts';

const never = new AbortController().signal;

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the launcher as a client', () => {
  it('sends the first key, and none where there is none', async () => {
    const sent: (string | undefined)[] = [];
    const address = await serve((request, response) => {
      sent.push(request.headers.authorization);
      response.end('{}');
    });
    await connectApi(address, ['first', 'second'], never).get('/jobs');
    await connectApi(address, [], never).get('/jobs');
    expect(sent).toEqual(['Bearer first', undefined]);
  });

  it('waits as long as a 429 says', async () => {
    const times: number[] = [];
    const address = await serve((_request, response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(429, { 'retry-after': '1' });
      response.end('{"answered": true}');
    });
    expect(await connectApi(address, [], never).get('/jobs')).toEqual({ answered: true });
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });

  it('takes a 503 for an answer, and says what else it got', async () => {
    const address = await serve((request, response) => {
      response.writeHead(request.url === '/health/ready' ? 503 : 401).end('{"checks": {}}');
    });
    const api = connectApi(address, ['first'], never);
    expect(await api.get('/health/ready')).toEqual({ checks: {} });
    await expect(api.get('/jobs')).rejects.toThrow(/expected 200 from .*\/jobs, got 401: /);
  });
});

/** What comes back from calls: answers, and problems whatever it was that went wrong. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answerOf, createClient, exportModel, ProblemError } from '../../src/client/index.ts';
import { sendProblem, serveEvents } from './event-server.ts';

async function clientOf(answer: (response: ServerResponse) => void, key?: string) {
  const sent: (string | undefined)[] = [];
  const { url } = await serveEvents((request, response) => {
    sent.push(request.headers.authorization);
    answer(response);
  });
  return { url, sent, client: createClient({ baseUrl: url, key }) };
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}

describe('the client', () => {
  it('gives the answer, typed by the path', async () => {
    const { client } = await clientOf((response) => json(response, 200, '{"data":[],"hasMore":false}'));
    const { data, hasMore } = await answerOf(client.GET('/jobs', { params: { query: { limit: 1 } } }));
    expect([data, hasMore]).toEqual([[], false]);
  });

  it('sends its key, and nothing where it has none', async () => {
    const withKey = await clientOf((response) => json(response, 200, '{}'), 'the key');
    await withKey.client.GET('/models');
    const without = await clientOf((response) => json(response, 200, '{}'));
    await without.client.GET('/models');
    expect([...withKey.sent, ...without.sent]).toEqual(['Bearer the key', undefined]);
  });

  it('gives the problem as it came, and throws it with its detail for a message', async () => {
    const { client } = await clientOf((response) => sendProblem(response, 503, { 'retry-after': '7' }));
    const { error, response } = await client.GET('/models');
    expect(error).toMatchObject({ detail: 'told 503', code: 'TOLD' });
    expect(response.status).toBe(503);
    const thrown = await answerOf(client.GET('/models')).catch((fault: unknown) => fault);
    expect(thrown).toBeInstanceOf(ProblemError);
    expect(thrown).toMatchObject({ message: 'told 503', code: 'TOLD', retryAfterSeconds: 7 });
  });

  it.each([
    ["a proxy's page", 502, 'text/html', '<h1>Bad Gateway</h1>'],
    ['a page for every path', 200, 'text/html; charset=utf-8', '<h1>Hello</h1>'],
    ['the JSON of another program', 500, 'application/json', '{"message":{"text":"no"}}'],
    ['half a problem', 500, 'application/problem+json', '{"detail":{"a":1}}'],
    ['JSON cut short', 200, 'application/json', '{"data":['],
    ['nothing at all', 404, 'text/plain', ''],
    ['nothing at all, as JSON', 500, 'application/json', ''],
  ])('makes a problem of %s', async (_what, status, type, body) => {
    const { client, url } = await clientOf((response) => {
      response.writeHead(status, { 'content-type': type, 'retry-after': '3' }).end(body);
    });
    const { error } = await client.GET('/models');
    const detail = `expected an answer of Trainyard from ${url}/models, got status ${status} with ${type}; see that it is Trainyard's address, and what lies between`;
    const problem = {
      code: 'ANSWER_UNEXPECTED',
      detail,
      instance: '/models',
      status: status === 200 ? 502 : status,
    };
    expect(error).toMatchObject(problem);
    await expect(answerOf(client.GET('/models'))).rejects.toMatchObject({
      message: detail,
      retryAfterSeconds: 3,
    });
  });

  it('takes a file for a file, by the name that the server gives it', async () => {
    const bytes = Uint8Array.of(0, 255, 128, 10); // no UTF-8
    const { client } = await clientOf((response) => {
      const disposition = 'attachment; filename="mnist-1.onnx"';
      const type = 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-disposition': disposition }).end(bytes);
    });
    expect(await exportModel(client, 1, 'onnx')).toEqual({ name: 'mnist-1.onnx', bytes });
    const page = await clientOf((response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
    );
    await expect(exportModel(page.client, 1, 'onnx')).rejects.toMatchObject({ code: 'ANSWER_UNEXPECTED' });
  });

  it('makes a problem of a server that is not there, and of one that leaves in the middle of an answer', async () => {
    const nobody = createClient({ baseUrl: 'http://127.0.0.1:1' });
    const { error } = await nobody.GET('/models');
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect((error as { detail: string }).detail).toMatch(
      /^expected an answer from http:\/\/127\.0\.0\.1:1, got none \(.+\); see/,
    );
    const { client } = await clientOf((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"data":', () => response.destroy());
    });
    expect((await client.GET('/models')).error).toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });

  it('takes the 503 of /health/ready for what it is', async () => {
    const { client } = await clientOf((response) =>
      json(response, 503, '{"status":"not ready","checks":{}}'),
    );
    expect((await client.GET('/health/ready')).error).toEqual({ status: 'not ready', checks: {} });
  });

  it('throws when the caller aborts, and only then', async () => {
    const { client } = await clientOf(() => {}); // never answers
    const stop = new AbortController();
    const call = client.GET('/models', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

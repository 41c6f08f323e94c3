/** How the program is called, what it sends, and how it ends; beside servers that do as they are told. */
import { execFile } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { beginStream, eventText, sendProblem, serveEvents } from '../client/event-server.ts';
import { temporaryDirectory } from '../temporary.ts';
import { call, run, start } from './run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('a wrong call', () => {
  it.each<readonly [string[], string]>([
    [[], 'Usage: trainyard'],
    [['tarin'], "unknown command 'tarin'"],
    [['train', '--epochs', 'many'], "argument 'many' is invalid. Expected a number."],
    [['jobs', '--colour'], "unknown option '--colour'"],
    [['watch'], "missing required argument 'id'"],
    ...['champion=half', 'challenger', 'challenger=', '=10', 'champion=Infinity'].map((share) => {
      const args = ['registry', 'traffic', 'mnist', 'champion=100', share];
      return [args, `expected ALIAS=PERCENT, such as champion=90, got ${share}\n`] as const;
    }),
    [['jobs', '--url', 'localhost:3000'], 'Expected one such as http://127.0.0.1:3000.'],
  ])('%j ends with 2 and says what is wrong', async (args, text) => {
    const { code, stdout, stderr } = await call(args);
    expect(stderr).toContain(text);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('ends the process with 2, too', async () => {
    const { code, stdout, stderr } = await run(['train', '--epochs', 'many']);
    expect(stderr).toContain("argument 'many' is invalid. Expected a number.");
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('help and version', () => {
  it('are no errors', async () => {
    const [help, version] = await Promise.all([run(['train', '--help']), call(['--version'])]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--learning-rate <rate>');
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('a server that is not there', () => {
  it('is said, with what to do', async () => {
    const { code, stdout, stderr } = await run(['jobs'], { TRAINYARD_URL: 'http://127.0.0.1:1' });
    expect(stderr).toMatch(
      /^expected an answer from http:\/\/127\.0\.0\.1:1, got none \(.+\); .*\nWhat to do: "npm start" .*--url/,
    );
    expect([code, stdout]).toEqual([1, '']);
  });
});

describe('the key', () => {
  it('is TRAINYARD_KEY, or else the first of API_KEY', async () => {
    const sent: (string | undefined)[] = [];
    const { url } = await serveEvents((request, response) => {
      sent.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json').end('{"data":[],"hasMore":false}');
    });
    await call(['jobs', '--url', url], { API_KEY: 'first, second' });
    await run(['jobs', '--url', url], { API_KEY: 'first', TRAINYARD_KEY: 'own' });
    const none = await call(['jobs', '--url', url]);
    expect(sent).toEqual(['Bearer first', 'Bearer own', undefined]);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'no jobs\n' });
  });
});

describe('a value that says nothing', () => {
  it.each([
    [['--pin', '0'], 'version=0'],
    [['--model', ''], 'model='],
    [['--alias', ''], 'alias='],
  ])('is sent to the server, which refuses it: predict %j', async (options, query) => {
    const { url, calls } = await serveCalls((response) => sendProblem(response, 400));
    const { code, stderr } = await call(['predict', 'package.json', ...options, '--url', url]);
    expect(calls).toEqual([`POST /predict?${query}`]);
    expect([code, stderr]).toEqual([1, 'told 400\n']);
  });

  it('is sent to the server, which refuses it: jobs --limit 0', async () => {
    const { url, calls } = await serveCalls((response) => sendProblem(response, 400));
    expect(await call(['jobs', '--limit', '0', '--status', '', '--url', url])).toMatchObject({ code: 1 });
    expect(calls).toEqual(['GET /jobs?limit=0&status=']);
  });
});

describe('registry remove --json', () => {
  it('prints the model as it is afterwards', async () => {
    const { url, calls } = await serveCalls((response, { method }) =>
      method === 'DELETE' ? response.writeHead(204).end() : sendJson(response, { name: 'mnist' }),
    );
    const { code, stdout } = await call([
      'registry',
      'remove',
      'mnist',
      'challenger',
      '--json',
      '--url',
      url,
    ]);
    expect([code, stdout]).toEqual([0, '{"name":"mnist"}\n']);
    expect(calls).toEqual(['DELETE /registry/mnist/aliases/challenger', 'GET /registry/mnist']);
  });
});

/** A server that answers each call alike; `calls` has the method and address of each. */
async function serveCalls(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const calls: string[] = [];
  const { url } = await serveEvents((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    request.resume();
    answer(response, request);
  });
  return { url, calls };
}

function sendJson(response: ServerResponse, value: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
}

describe('watch', () => {
  /** A job with events up to the one before the last; `end` sends that. */
  async function serveJob() {
    let end = () => {};
    const { url, asked } = await serveEvents((request, response) => {
      if (!request.url!.endsWith('/events')) {
        response.setHeader('content-type', 'application/json').end('{"id":"a"}');
        return;
      }
      beginStream(response);
      const after = Number(request.headers['last-event-id'] ?? 0);
      const [last, ...others] = eventText(4, after).trimEnd().split('\n\n').toReversed();
      response.write(
        others
          .toReversed()
          .map((text) => `${text}\n\n`)
          .join(''),
      );
      end = () => void response.end(`${last}\n\n`);
      drop = () => void response.destroy();
    });
    let drop = () => {};
    return { url, asked, end: () => end(), drop: () => drop() };
  }

  it('says at Ctrl-C that the job goes on, and how to see or end it', async () => {
    const { url } = await serveJob();
    const { child, ended, printed } = start(['watch', 'a', '--url', url]);
    await printed('number 3 in line');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(stderr).toBe(
      'job a\nthe job goes on: "npx trainyard watch a" shows it, "npx trainyard cancel a" ends it\n',
    );
    expect(code).toBe(130);
  });

  it.each([
    ['held', 'the job asked for no promotion', ' (the job asked for no promotion)'],
    [
      'kept',
      'its job goes on, and it is not as good as model 1: 99.00 % against 99.24 %; only this one reads 1',
      ' (its job goes on, and it is not as good as model 1)',
    ],
    ['kept', 'significantly worse than model 1: 99.00 % against 99.24 %', ''],
  ])('says why a version was %s where the numbers do not: %s', async (decision, reason, words) => {
    const numbers = { version: 2, champion: 1, accuracy: 0.99, accuracyAgainst: 0.9924 };
    const { url } = await serveEvents((request, response) => {
      if (!request.url!.endsWith('/events')) return sendJson(response, { id: 'a' });
      beginStream(response);
      const kept = JSON.stringify({ type: 'kept', at: '', decision, reason, ...numbers });
      response.end(`id: 1\nevent: kept\ndata: ${kept}\n\n${eventText(2, 1)}`);
    });
    const { stdout } = await run(['watch', 'a', '--url', url]);
    expect(stdout).toBe(
      `model 2 is published${words}; model 1 goes on answering: 99.00 % against 99.24 %\nsucceeded\n`,
    );
  });

  it('says once that the server is away, and that it is back, and goes on where it was', async () => {
    const { url, drop, end } = await serveJob();
    const { ended, printed } = start(['watch', 'a', '--url', url]);
    await printed('number 3 in line');
    drop();
    await printed('the server is back');
    end();
    expect(await ended).toEqual({
      code: 0,
      stdout: 'queued, number 1 in line\nqueued, number 2 in line\nqueued, number 3 in line\nsucceeded\n',
      stderr: 'job a\nthe server is away, trying again: the connection has ended\nthe server is back\n',
    });
  });
});

describe('npx trainyard', () => {
  it('runs the built program of this checkout, without a network', async () => {
    const env = { ...process.env, npm_config_cache: await temporaryDirectory(), npm_config_offline: 'true' };
    const { stdout } = await promisify(execFile)('npx', ['trainyard', '--version'], { cwd: root, env });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

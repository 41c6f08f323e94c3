/**
 * Whatever is sent to any route of the real server, in a process of its own. A failure prints the seed; FUZZ_SEED=…
 * runs it again. FAULTS=long sends 5,000 requests instead of 500.
 */
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { until } from '../jobs/until.ts';
import { memoryOf, predictorPid } from '../model/serving/processes.ts';
import { anyRequest, bytesOf, type RawRequest } from './requests.ts';
import { startServer } from './server.ts';

const long = process.env['FAULTS'] === 'long';
const requests = long ? 5000 : 500;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const answerWithinMs = 10_000;
const patienceMs = 100; // for what may rightly wait for more
const memoryMargin = 1.05; // of the level after the first half
/** MB. The predictor's native memory moves by decoded images of 16 MB, one for each of sharp's four threads. */
const memorySlack = { server: long ? 10 : 40, predictor: 64 };
/**
 * Over thousands of requests, without a limit near what is needed, V8 collects so seldom that garbage looks like a
 * leak. It takes ten times as long, so only the long form has it, and the short one allows for garbage.
 */
const heapLimit = long ? { NODE_OPTIONS: '--max-old-space-size=96' } : {}; // MB

type Answer = { readonly status: number; readonly type: string; readonly body: string } | null;

const server = await startServer(heapLimit);
const routes = await listRoutes();

async function listRoutes() {
  const document = (await (await fetch(new URL('/openapi.json', server.address))).json()) as {
    paths: Record<string, object>;
  };
  const described = Object.entries(document.paths).map(([route, operations]) => ({
    route,
    methods: Object.keys(operations).map((method) => method.toUpperCase()),
  }));
  return [...described, { route: '/openapi.json', methods: ['GET'] }];
}

/** Sends on a connection of its own; null when the server closes without a word, or waits for more. */
function exchange(request: RawRequest): Promise<Answer> {
  const limit = request.whole ? answerWithinMs : patienceMs;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(server.address.port), server.address.hostname);
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(parse(Buffer.concat(chunks).toString('utf8')));
    };
    const timer = setTimeout(end, limit);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket
      .on('end', end)
      .on('error', () => {})
      .on('close', end);
    socket.write(bytesOf(request));
  });
}

function parse(text: string): Answer {
  const final = text.replace(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)+/, '');
  const [, status, head, rest] = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n([^]*?)\r\n\r\n([^]*)$/.exec(final) ?? [];
  if (!status) return null;
  const type = /^content-type: (.*)$/im.exec(head!)?.[1]?.trim() ?? '';
  const length = Number(/^content-length: (\d+)$/im.exec(head!)?.[1] ?? Number.POSITIVE_INFINITY);
  const body = Buffer.from(rest!).subarray(0, length).toString(); // a second answer may follow
  return { status: Number(status), type, body };
}

const documented503 = [
  'QUEUE_FULL',
  'OVERLOADED',
  'PREDICT_TIMEOUT',
  'PREDICTOR_RESTARTED',
  'NO_MODEL',
  'MODEL_NOT_LOADED_YET',
  'REDIS_UNAVAILABLE',
];

/** What is wrong with an answer; null when nothing is. */
function wrong(request: RawRequest, answer: Answer): string | null {
  if (server.process.exitCode !== null || server.process.signalCode !== null) return 'the server has ended';
  if (!answer) return request.whole ? 'no answer' : null;
  const { status, type, body } = answer;
  if (status < 400) return status >= 200 ? null : 'an informational answer alone';
  if (request.route === '/health/ready' && status === 503) return null; // says which part is missing: the worker
  if (!type.startsWith('application/problem+json')) return `an error of type "${type}"`;
  if (request.method === 'HEAD') return null;
  const problem = parseProblem(body);
  if (!problem) return `an error that is no problem: ${body}`;
  if (problem.status !== status || !/^[A-Z][A-Z0-9_]+$/.test(problem.code))
    return `a problem without code: ${body}`;
  if (status >= 500 && !(status === 503 && documented503.includes(problem.code)))
    return `an undocumented ${body}`;
  return null;
}

function parseProblem(body: string): { status: number; code: string } | null {
  try {
    const problem = JSON.parse(body) as { status: number; code: string };
    return typeof problem.code === 'string' ? problem : null;
  } catch {
    return null;
  }
}

const counts = new Map<string, Map<string, number>>(); // route → status → times

async function check(request: RawRequest): Promise<void> {
  const answer = await exchange(request);
  const status = answer ? String(answer.status) : 'closed';
  const ofRoute = counts.get(request.route) ?? new Map<string, number>();
  counts.set(request.route, ofRoute.set(status, (ofRoute.get(status) ?? 0) + 1));
  const fault = wrong(request, answer);
  if (fault) throw new Error(`${fault}\n${server.output().slice(-2000)}`);
}

/** Not made smaller after a failure: a server that has ended fails on everything, and the cause may be a little earlier. */
const sendMany = (numRuns: number, from: number) =>
  fc.assert(fc.asyncProperty(anyRequest(routes), check), {
    numRuns,
    seed: from,
    endOnFailure: true,
  });

/** Measures server and predictor in MB, once nothing is under way. */
async function memory(predictor: number): Promise<[number, number]> {
  const read = () => Promise.all([memoryOf(server.process.pid!), memoryOf(predictor)]);
  let last = await read();
  await until(
    'memory to be at rest',
    async () => {
      const before = last;
      await new Promise((resolve) => setTimeout(resolve, 300));
      last = await read();
      return last.map((value, index) => Math.abs(value - before[index]!));
    },
    (changes) => changes.every((change) => change < 1),
  );
  return last;
}

it(
  `answers ${requests} malformed requests by problems, and is as before (FUZZ_SEED=${seed})`,
  async () => {
    console.log(`FUZZ_SEED=${seed}, ${requests} requests`);
    const predictor = predictorPid(server.process.pid)!;
    await sendMany(requests / 2, seed);
    const before = await memory(predictor);
    await sendMany(requests / 2, seed + 1);
    const after = await memory(predictor);
    const rounded = (values: number[]) => values.map(Math.round).join(', ');
    console.log(
      `memory of server, predictor: ${rounded(before)} MB halfway, ${rounded(after)} MB at the end`,
    );
    for (const [route, statuses] of counts) console.log(route, JSON.stringify(Object.fromEntries(statuses)));

    expect(server.process.exitCode).toBeNull();
    expect(predictorPid(server.process.pid)).toBe(predictor);
    expect([...counts.keys()].toSorted()).toEqual([...routes.map(({ route }) => route), '/nope'].toSorted());
    expect((await fetch(new URL('/health/live', server.address))).status).toBe(200);
    expect(after[0]).toBeLessThan(before[0] * memoryMargin + memorySlack.server);
    expect(after[1]).toBeLessThan(before[1] * memoryMargin + memorySlack.predictor);
    expect(server.output()).not.toMatch(/"level":60|unhandled|uncaught|Warning/i);
  },
  15 * 60_000,
);

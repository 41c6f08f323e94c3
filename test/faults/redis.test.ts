/**
 * What must hold of the whole service, as `npm start` runs it, while its Redis is killed, frozen or restarted under
 * load: no accepted job is lost or doubled, every job succeeds, /predict answers without an error, and what needs
 * Redis says so within a second. The short form does each once; FAULTS=long does each as often as
 * docs/reliability.md says.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  getJson,
  isThere,
  launcherAlone,
  processesOf,
  redisPidOf,
  type Service,
  startService,
  trainToEnd,
  until,
} from '../../harness/service.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { openStore } from '../../src/model/store/store.ts';
import { startOwnTime, timed } from '../jobs/until.ts';
import { pausing } from '../pausing.ts';
import { temporaryDirectory } from '../temporary.ts';
import { faults } from './forms.ts';

const frozenMs = faults.isLong ? 5000 : 2000;
/** Epochs of 20 small steps, each better than one fixed answer; in the short form one. */
const tiny = {
  schedule: 'constant',
  learningRate: 0.002,
  seed: 7,
  trainImages: 160,
  testImages: 100,
  batchSize: 8,
  epochs: faults.isLong ? 3 : 1,
};
/** Still runs when the fault comes; the long form's, when it goes as well. */
const longer = {
  ...tiny,
  epochs: 3,
  ...(faults.isLong ? { trainImages: 6400, batchSize: 32 } : { trainImages: 320 }),
};
const postedLeast = faults.isLong ? 3 : 2;
const pauseMs = faults.isLong ? 20 : 50; // between two requests: the short form leaves time to the tests beside it

/** No version is deleted, so that each that is listed has to load. */
const environment = { FIRST_MODEL: 'false', KEEP_MODELS: '1000', ...(faults.isLong ? {} : pausing(30)) };

let dataDir: string;
let service: Service;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  service = await startService(dataDir, environment, launcherAlone);
  await trainToEnd(service.address, tiny); // a model to ask
});

afterAll(async () => {
  await service?.end();
});

const redisPid = () => redisPidOf(dataDir);

const faultsOfRedis: [string, () => Promise<void>][] = [
  [
    'killed',
    async () => {
      process.kill(await redisPid(), 'SIGKILL');
      await untilAnotherRedis();
    },
  ],
  [
    `frozen for ${frozenMs / 1000} s`,
    async () => {
      const pid = await redisPid();
      process.kill(pid, 'SIGSTOP');
      await delay(frozenMs);
      process.kill(pid, 'SIGCONT');
    },
  ],
  [
    'restarted',
    async () => {
      process.kill(await redisPid(), 'SIGTERM');
      await untilAnotherRedis();
    },
  ],
];

/** Waits until the launcher has another Redis that runs. */
async function untilAnotherRedis(): Promise<void> {
  const runs = () => service.output().split('it runs again').length;
  const before = runs();
  await until(() => runs() > before, 'Redis to be started again');
}

describe.each(faultsOfRedis)('Redis %s during training and load', (name, fault) => {
  it.each(faults.times(1, 5))('costs no job and no prediction (%d)', async (round) => {
    const said = () => ['Redis is away; what needs it', 'Redis is away; a job that runs'].map(countOf);
    const before = said();
    const idsBefore = await listIds();
    const running = await post(longer, `${name} ${round} running`);
    await until(() => computes(running), 'the job to compute');
    const load = startLoad(`${name} ${round}`);
    await until(() => load.posted.size > 0, 'a job to be accepted before the fault');
    await fault();
    const { ms: backMs } = await timed(() =>
      until(async () => (await read(running)) !== null, 'what needs Redis to answer again'),
    );
    await until(() => load.posted.size >= postedLeast, 'jobs to be accepted after the fault');
    await load.stop();

    const ids = [running, ...load.posted.values()];
    const jobs = await Promise.all(ids.map(untilEnded));
    console.log(`${name}: ${load.summary()}; back after ${backMs.toFixed(0)} ms; ${describeEnds(jobs)}`);
    expect(load.failures).toEqual([]);
    expect(load.slowestMs.withRedis).toBeLessThan(1000 + load.slowestMs.without); // a busy machine slows both down
    expect(backMs).toBeLessThan(1500 + load.slowestMs.without);
    expect(jobs.map(({ status, error }) => ({ status, error }))).toEqual(
      jobs.map(() => ({ status: 'succeeded', error: null })),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(await listIds()).toHaveLength(idsBefore.length + ids.length); // none lost, none doubled
    const tellings = said().map((count, part) => count - before[part]!); // by server and worker
    expect(Math.max(...tellings), linesAboutRedis()).toBeLessThanOrEqual(1);
  });
});

describe('all of the service killed at once, during training', () => {
  it.each(faults.times(1, 5))('starts again, with every job (%d)', async (round) => {
    const before = await listIds();
    const id = await post(longer, `all killed ${round}`);
    await until(() => computes(id), 'the job to compute');
    const pids = processesOf(dataDir).map((line) => Number.parseInt(line, 10));
    for (const pid of [...pids, await redisPid()]) killIfThere(pid);
    service = await startService(dataDir, environment, launcherAlone);
    expect(await untilEnded(id)).toMatchObject({ status: 'succeeded', error: null });
    expect(await listIds()).toEqual([id, ...before]);
    const store = openStore(dataDir);
    for (const version of await store.versions()) await store.load(version); // each is whole
  });
});

describe('the launcher killed alone, during training', () => {
  it('takes everything with it within 15 s, and `npm start` goes on', async () => {
    const id = await post(longer, 'launcher killed');
    await until(() => computes(id), 'the job to compute');
    const launcher = processesOf(dataDir).find((line) => /dist\/start\.js|scripts\/run\.mjs/.test(line))!;
    const redis = await redisPid();
    process.kill(Number.parseInt(launcher, 10), 'SIGKILL');
    const began = performance.now();
    await until(() => processesOf(dataDir).length === 0 && !isThere(redis), 'all processes to end', 15_000);
    console.log(
      `launcher killed: everything gone after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    service = await startService(dataDir, environment, launcherAlone);
    expect(await untilEnded(id)).toMatchObject({ status: 'succeeded', error: null });
  });
});

function killIfThere(pid: number): void {
  if (isThere(pid)) process.kill(pid, 'SIGKILL');
}

/** Requests of every kind until it is stopped; jobs are posted again, under the same key, until they are accepted. */
function startLoad(name: string) {
  const posted = new Map<string, string>(); // key → job id
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  const time = startOwnTime();
  const slowestMs = { withRedis: 0, without: 0 };
  const stopping = new AbortController();

  const ask = async (path: string, allowed: readonly number[], init: RequestInit = {}) => {
    const startedAt = time.ms();
    const response = await fetch(`${service.address}${path}`, init);
    const text = await response.text();
    const kind = allowed.includes(503) ? 'withRedis' : 'without';
    slowestMs[kind] = Math.max(slowestMs[kind], time.ms() - startedAt);
    const what = `${init.method ?? 'GET'} ${path.replace(/[0-9a-f-]{36}/, 'ID')} ${response.status}`;
    counts[what] = (counts[what] ?? 0) + 1;
    if (!allowed.includes(response.status)) failures.push(`${what}: ${text}`);
    return { status: response.status, text };
  };
  const predict = async () => {
    const body = await digit();
    const headers = { 'content-type': 'image/png' };
    while (!stopping.signal.aborted) {
      await ask('/predict', [200], { method: 'POST', headers, body });
      await delay(faults.isLong ? 0 : pauseMs);
    }
  };
  const readAlone = async () => {
    const paths = ['/models', '/health/live', '/openapi.json', '/datasets/mnist/test/1.png'];
    for (let i = 0; !stopping.signal.aborted; i++) {
      await ask(paths[i % paths.length]!, [200]);
      await delay(pauseMs);
    }
  };
  const readJobs = async () => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const [id] = posted.values();
      await ask(['/jobs', '/health/ready', id ? `/jobs/${id}` : '/jobs?limit=1'][i % 3]!, [200, 503]);
      await delay(pauseMs);
    }
  };
  const postJobs = async () => {
    for (let i = 0; !stopping.signal.aborted || posted.size < i; i++) {
      const key = `${name} ${i}`;
      const init = postOf(tiny, key);
      let answer = await ask('/jobs/train', [202, 503], init);
      while (answer.status === 503) answer = await ask('/jobs/train', [202, 503], init);
      posted.set(key, (JSON.parse(answer.text) as TrainJob).id);
      await delay(posted.size < postedLeast ? 100 : 2000);
    }
  };
  const all = Promise.all([predict(), predict(), readAlone(), readJobs(), postJobs()]);
  return {
    posted,
    failures,
    slowestMs,
    summary: () =>
      `${JSON.stringify(counts)}, the slowest took ${slowestMs.withRedis} ms with Redis, ${slowestMs.without} ms without`,
    stop: async () => {
      stopping.abort();
      await all;
      time.stop();
    },
  };
}

function postOf(request: object, key: string): RequestInit {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return { method: 'POST', headers, body: JSON.stringify(request) };
}

async function post(request: object, key: string): Promise<string> {
  const response = await fetch(`${service.address}/jobs/train`, postOf(request, key));
  expect(response.status).toBe(202);
  return ((await response.json()) as TrainJob).id;
}

/** Null where the answer is that Redis is away. */
async function read(id: string): Promise<TrainJob | null> {
  const response = await fetch(`${service.address}/jobs/${id}`);
  return response.ok ? ((await response.json()) as TrainJob) : null;
}

async function computes(id: string): Promise<boolean> {
  return Boolean((await read(id))?.progress);
}

async function untilEnded(id: string): Promise<TrainJob> {
  let job: TrainJob | null = null;
  const ended = async () => {
    job = await read(id);
    return Boolean(job?.finishedAt);
  };
  await until(ended, `job ${id} to end`);
  return job!;
}

async function listIds(): Promise<string[]> {
  const { data } = await getJson<{ data: TrainJob[] }>(`${service.address}/jobs?limit=100`);
  return data.map(({ id }) => id);
}

async function digit(): Promise<Buffer> {
  const picture = await fetch(`${service.address}/datasets/mnist/test/0.png`);
  return Buffer.from(await picture.arrayBuffer());
}

const linesAboutRedis = () =>
  service
    .output()
    .split('\n')
    .filter((line) => line.includes('Redis'))
    .join('\n');
const countOf = (text: string) => service.output().split(text).length - 1;

function describeEnds(jobs: readonly TrainJob[]): string {
  return jobs.map(({ status, attempt, error }) => `${status}@${attempt} ${error?.code ?? ''}`).join(', ');
}

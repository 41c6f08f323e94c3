/** A queue, a store and workers for one test, with their own key prefix and data directory. */

import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { pino } from 'pino';
import type { z } from 'zod';
import {
  queueName,
  type ResolvedRequest,
  resolveRequest,
  type TrainJob,
  trainRequestSchema,
} from '../../src/jobs/contract.ts';
import { type JobQueue, openQueue } from '../../src/jobs/producer/queue.ts';
import type { WorkerOptions, WorkerTimings } from '../../src/jobs/worker/options.ts';
import { startWorker, type TrainWorker } from '../../src/jobs/worker/worker.ts';
import { describeBuiltIn } from '../../src/model/data/built-in.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import { closeAfterTest } from '../closing.ts';
import { temporaryDirectory } from '../temporary.ts';
import { until } from './until.ts';

export type Yard = {
  readonly prefix: string;
  readonly redisUrl: string;
  readonly dataDir: string;
  readonly queue: JobQueue;
  readonly store: ModelStore;
  startWorker(
    change?: Partial<
      Pick<
        WorkerOptions,
        'log' | 'engine' | 'requireGpu' | 'noGpu' | 'device' | 'timings' | 'trainerNiceness'
      >
    >,
  ): Promise<TrainWorker>;
  enqueue(change?: RequestInput): Promise<TrainJob>;
  find(id: string): Promise<TrainJob>;
  /** Waits until `ready` holds for a job. */
  untilJob(id: string, what: string, ready: (job: TrainJob) => boolean, withinMs?: number): Promise<TrainJob>;
  untilEnded(id: string, withinMs?: number): Promise<TrainJob>;
};

/** Short, but long enough for a busy machine: a lost worker is noticed within 2.25 s instead of 7.5 s. */
export const shortTimings: Partial<WorkerTimings> = {
  lock: 2000,
  stalledCheck: 250,
  cancelCheck: 50,
  progressMs: 50,
  resumePointMs: 500,
  diskRetry: 100,
  withoutError: 1000,
};

/** For a job that lasts: it pauses after each step, so that the test has the cores. Ten steps take a second and more. */
export const lasting: Partial<WorkerTimings> = { ...shortTimings, stepPauseMs: 100 };

export type RequestInput = z.input<typeof trainRequestSchema>;

/** Epochs of ten small steps, each better than one fixed answer, however many there are. */
export const smallEpochs = {
  schedule: 'constant',
  learningRate: 0.002,
  trainImages: 160,
  batchSize: 16,
} as const satisfies RequestInput;

/** A resolved request for a run of ten steps, with changes. */
export function requestOf(change: RequestInput = {}): ResolvedRequest {
  const small = { trainImages: 320, testImages: 100, calibrationImages: 20, batchSize: 32, seed: 7 };
  return resolveRequest(trainRequestSchema.parse({ ...small, ...change }), describeBuiltIn('mnist'));
}

/** Opens a yard that is closed at the end of the test. */
export async function openYard(redisUrl: string, dataDir?: string, deadlineMs?: number): Promise<Yard> {
  const [yard, close] = await buildYard(redisUrl, dataDir, deadlineMs);
  closeAfterTest(close);
  return yard;
}

/** Opens a yard that several tests share; the caller closes it. */
export async function buildYard(
  redisUrl: string,
  givenDataDir?: string,
  deadlineMs = 10_000, // of a call to Redis, on a busy machine
): Promise<[Yard, close: () => Promise<void>]> {
  const prefix = `test-${randomUUID()}`;
  const dataDir = givenDataDir ?? (await temporaryDirectory());
  const queue = openQueue({ redisUrl, prefix, deadlineMs, onError: () => {} });
  const workers: TrainWorker[] = [];
  const find = async (id: string) => {
    const job = await queue.find(id);
    if (!job) throw new Error(`expected job ${id}, found none`);
    return job;
  };
  const yard: Yard = {
    prefix,
    redisUrl,
    dataDir,
    queue,
    store: openStore(dataDir),
    startWorker: async (change = {}) => {
      const usual = {
        engine: 'auto',
        requireGpu: false,
        noGpu: null,
        device: 'a test',
        gitCommit: 'abc',
        timings: shortTimings,
        trainerNiceness: 0, // a busy machine would starve a nice one
      } as const;
      const log = pino({ level: 'silent' });
      const worker = await startWorker({ redisUrl, prefix, dataDir, ...usual, log, ...change });
      workers.push(worker);
      return worker;
    },
    enqueue: (change) => enqueue(queue, requestOf(change)),
    find,
    untilJob: (id, what, ready, withinMs) => until(`job ${id} ${what}`, () => find(id), ready, withinMs),
    untilEnded: (id, withinMs) => yard.untilJob(id, 'to end', (job) => job.finishedAt !== null, withinMs),
  };
  await until('a connection to Redis', () => isConnected(queue), Boolean);
  const close = async () => {
    for (const worker of workers) await worker.close();
    await queue.close();
  };
  return [yard, close];
}

async function enqueue(queue: JobQueue, request: ResolvedRequest): Promise<TrainJob> {
  const result = await queue.enqueue(request);
  if (result.outcome !== 'queued') throw new Error(`expected a queued job, got ${JSON.stringify(result)}`);
  return result.job;
}

export async function isConnected(queue: JobQueue): Promise<boolean> {
  return queue.find('nobody').then(
    () => true,
    () => false,
  );
}

/** BullMQ's own queue, for jobs that this program would not add. */
export async function withBullQueue<T>(
  redisUrl: string,
  prefix: string,
  work: (queue: Queue) => Promise<T>,
): Promise<T> {
  const queue = new Queue(queueName, { connection: { url: redisUrl, maxRetriesPerRequest: null }, prefix });
  const result = await work(queue);
  await queue.close();
  return result;
}

/**
 * The API's side of imports. Each name belongs to one upload or import at a time. Every call ends within a second; without
 * Redis it throws a TrainyardError `REDIS_UNAVAILABLE`.
 */
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import type { ReportSummary } from '../../model/data/imported/manifest.ts';
import { Queue } from '../bullmq.ts';
import { appendDone, beginLog, type EventLog, keepLog, readLog } from '../event-log.ts';
import { type ImportJob, type ImportJobData, importQueueName } from '../import-contract.ts';
import { type ImportTotals, readTotals } from '../import-totals.ts';
import { cancelledAt, type ImportBullJob, tellImportEnding, viewImportJob } from '../import-view.ts';
import { connectProducer, reportConnection } from '../redis/connect.ts';
import type { Advice } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';
import { adaptForBoard } from './board-adapter.ts';
import { createImportNames, type ImportNames } from './import-names.ts';
import { createDeadline } from './redis-deadline.ts';

export type ImportQueue = {
  /** Reserves a name for an upload, whose id it returns; null where the name belongs to another. */
  claim(name: string): Promise<string | null>;
  /**
   * Keeps the name of an upload under way, which otherwise is free again after `claimMs`; takes it back where it is. Returns
   * false where another has it.
   */
  renew(name: string, id: string): Promise<boolean>;
  /** Gives the name back. */
  release(name: string, id: string): Promise<void>;
  /** Queues the import of an archive that has arrived. Returns false where another has its name. */
  add(id: string, data: ImportJobData): Promise<boolean>;
  /** The import under a name that waits, runs or has failed. */
  find(name: string): Promise<ImportJob | null>;
  /** The id of the newest import under a name, which may have ended; null where none is kept. */
  idOf(name: string): Promise<string | null>;
  /** The JSON texts of up to `count` events of an import, from number `first` on (the first event is number 1). */
  events(id: string, first: number, count: number): Promise<string[]>;
  /** Whether an import goes on. If it has ended, its last event is written, unless its worker has written it. */
  settle(id: string): Promise<'open' | 'ended' | 'unknown'>;
  readonly queueName: string;
  /** Lists the imports that `find` finds. */
  list(): Promise<ImportJob[]>;
  /** Forgets the import under a name and returns its id; null where there is none. A worker that runs it is not told. */
  drop(name: string): Promise<string | null>;
  /** Whether an upload goes on, or waits for its import or its end. */
  isKnown(id: string): Promise<boolean>;
  /** Forgets the names whose import is no longer kept. */
  prune(): Promise<void>;
  metrics(): Promise<ImportMetrics>;
  /** The queue as Bull Board reads it; its calls need a deadline. */
  board(): Promise<BaseAdapter>;
  close(): Promise<void>;
};

/** Imports by BullMQ's state, and the totals of those that have ended. */
export type ImportMetrics = ImportTotals & {
  readonly counts: Readonly<Record<'waiting' | 'active' | 'completed' | 'failed', number>>;
};

export type ImportQueueOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly outage: Outage; // of the process's connections to this Redis
  readonly deadlineMs?: number;
  readonly claimMs?: number;
};

const kept = { count: 100 }; // finished imports that stay readable
const tryAgain: Advice = { next: 'try again' };

type Context = {
  readonly queue: Queue<ImportJobData, ReportSummary | null>;
  readonly redis: Redis;
  readonly prefix: string;
  readonly names: ImportNames;
};

export function openImportQueue(options: ImportQueueOptions): ImportQueue {
  const { redisUrl, prefix = 'trainyard', outage, deadlineMs = 800, claimMs = 30_000 } = options;
  const redis = connectProducer(redisUrl, deadlineMs);
  const queue = new Queue<ImportJobData, ReportSummary | null>(importQueueName, {
    connection: redis,
    prefix,
    skipVersionCheck: true,
  });
  reportConnection(redis, outage);
  queue.on('error', () => {}); // the same errors, or those of a call that fails
  const names = createImportNames(redis, prefix);
  const context: Context = { queue, redis, prefix, names };
  const deadline = createDeadline(redis, outage, deadlineMs);
  const inTime = <T>(call: () => Promise<T>) => deadline('imports', call, tryAgain);
  return {
    claim: (name) =>
      inTime(async () => {
        const holder = await names.holderOf(name);
        if (holder && (await isHeld(context, holder))) return null;
        const id = uuidv7();
        if (!(await names.swap(name, holder ?? '', uploading(id), claimMs))) return null;
        await redis.set(uploadKeyOf(context, id), name, 'PX', claimMs);
        return id;
      }),
    renew: (name, id) =>
      inTime(async () => {
        const isOurs = await takeOver(context, name, id, uploading(id), claimMs);
        if (isOurs) await redis.set(uploadKeyOf(context, id), name, 'PX', claimMs);
        return isOurs;
      }),
    release: (name, id) =>
      inTime(async () => {
        for (const holder of [uploading(id), id]) await names.swap(name, holder, '');
      }),
    add: (id, data) => inTime(() => add(context, id, data, claimMs)),
    find: (name) => inTime(() => find(context, name)),
    idOf: (name) => inTime(() => idOf(context, name)),
    events: (id, first, count) =>
      deadline('events', () => readLog(logOf(context, id), first, count), tryAgain),
    settle: (id) => deadline('events', () => settle(context, id), tryAgain),
    queueName: importQueueName,
    list: () => inTime(() => list(context)),
    drop: (name) => inTime(() => drop(context, name)),
    isKnown: (id) => inTime(() => isKnown(context, id)),
    prune: () => inTime(() => prune(context)),
    metrics: () => deadline('import metrics', () => metrics(context), tryAgain),
    board: () => adaptForBoard(queue),
    close: async () => {
      await queue.close();
      redis.disconnect();
    },
  };
}

const uploadPrefix = 'upload:';
const uploading = (id: string) => `${uploadPrefix}${id}`;
const isUploading = (holder: string) => holder.startsWith(uploadPrefix);

/** A key that is there while an upload goes on. */
function uploadKeyOf({ prefix }: Context, id: string): string {
  return `${prefix}:upload:${id}`;
}

/** A name is free again when its import has ended: the set is on disk then, or it has failed. */
async function isHeld(context: Context, holder: string): Promise<boolean> {
  if (isUploading(holder)) return true;
  const state = await context.queue.getJobState(holder);
  if (state === 'unknown') return isUnderWay(context, holder);
  return state !== 'failed' && state !== 'completed';
}

async function isKnown(context: Context, id: string): Promise<boolean> {
  return (await isUnderWay(context, id)) || (await context.queue.getJobState(id)) !== 'unknown';
}

/** Whether an upload goes on, or its import is being added. */
async function isUnderWay(context: Context, id: string): Promise<boolean> {
  return (await context.redis.exists(uploadKeyOf(context, id))) === 1;
}

/** Gives a name that belongs to an upload, or whose claim has run out, to another holder. */
async function takeOver({ names }: Context, name: string, id: string, to: string, lifeMs = 0) {
  return (await names.swap(name, uploading(id), to, lifeMs)) || (await names.swap(name, '', to, lifeMs));
}

/** Until the job is there, the key of the upload holds the name. */
async function add(context: Context, id: string, data: ImportJobData, claimMs: number): Promise<boolean> {
  const { name } = data.request;
  await context.redis.set(uploadKeyOf(context, id), name, 'PX', claimMs);
  if (!(await takeOver(context, name, id, id))) return false;
  const log = logOf(context, id);
  await beginLog(log, { type: 'queued', at: new Date().toISOString() });
  await context.queue.add('import', data, addOptions(id));
  await keepLog(log);
  return true;
}

async function find(context: Context, name: string): Promise<ImportJob | null> {
  const id = await idOf(context, name);
  return id === null ? null : read(context, id);
}

async function idOf(context: Context, name: string): Promise<string | null> {
  const id = await context.names.holderOf(name);
  if (!id || isUploading(id)) return null;
  if (await isKnown(context, id)) return id;
  await context.names.swap(name, id, ''); // it has ended, and is no longer kept
  return null;
}

function logOf({ queue, redis }: Context, id: string): EventLog {
  return { redis, key: queue.toKey(id) };
}

async function settle(context: Context, id: string): ReturnType<ImportQueue['settle']> {
  const job: ImportBullJob | undefined = await context.queue.getJob(id);
  if (!job) return 'unknown';
  return (await tellImportEnding(logOf(context, id), job)) ? 'ended' : 'open';
}

async function prune(context: Context): Promise<void> {
  const { names } = context;
  for (const name of await names.list()) {
    const holder = await names.holderOf(name);
    const isNeeded = holder !== null && (isUploading(holder) || (await isKnown(context, holder)));
    if (!isNeeded) await names.swap(name, holder ?? '', '');
  }
}

async function drop(context: Context, name: string): Promise<string | null> {
  const id = await context.names.holderOf(name);
  if (!id || isUploading(id)) return null;
  const job = await context.queue.getJob(id);
  if (!job && (await isUnderWay(context, id))) return null; // it is being added
  if (!(await context.names.swap(name, id, ''))) return null;
  if (job) await cancel(context, job);
  return job ? id : null;
}

/** Removes a job that has ended or waits, whose followers hear of it. A worker that runs it says itself that it ends. */
async function cancel(context: Context, job: ImportBullJob): Promise<void> {
  const log = logOf(context, job.id!);
  const isRun = (await context.redis.exists(`${log.key}:lock`)) === 1;
  if (!isRun) await appendDone(log, cancelledAt(new Date()));
  await job.remove().catch(() => {}); // a worker runs it
}

/** The state first: of an import that fails between the two, the reason would be missing otherwise. */
async function read({ queue }: Context, id: string): Promise<ImportJob | null> {
  const state = await queue.getJobState(id);
  const job: ImportBullJob | undefined = await queue.getJob(id);
  return job ? viewImportJob(job, state) : null;
}

async function list(context: Context): Promise<ImportJob[]> {
  const { queue } = context;
  const ids = await queue.getRanges(['waiting', 'prioritized', 'delayed', 'active', 'failed'], 0, -1);
  const found = await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const job = await read(context, id);
      const isNewest = job && (await context.names.holderOf(job.data.request.name)) === id;
      return isNewest ? job : null;
    }),
  );
  return found.filter((job) => job !== null);
}

async function metrics({ queue, redis, prefix }: Context): Promise<ImportMetrics> {
  const [counts, totals] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'),
    readTotals(redis, prefix),
  ]);
  const { active = 0, completed = 0, failed = 0, ...others } = counts;
  const waiting = Object.values(others).reduce((sum, count) => sum + count, 0);
  return { counts: { waiting, active, completed, failed }, ...totals };
}

function addOptions(jobId: string) {
  const backoff = { type: 'fixed', delay: 200 }; // ms, after a crash
  const attempts = Number.MAX_SAFE_INTEGER; // the worker decides when to give up
  return { jobId, attempts, backoff, removeOnComplete: kept, removeOnFail: kept };
}

/**
 * The events of a job, be it a training or an import. BullMQ's log of the job holds them: a Redis list of JSON texts, which
 * BullMQ deletes with the job and which any BullMQ tool shows. An event's number is its place in the list, from 1; no event
 * is ever removed. Each append is also published on the job's channel, as `FIRST\nJSON\nJSON…`.
 */
import type { Redis } from 'ioredis';
import type { TrainJob } from './contract.ts';
import type { JobEvent } from './events.ts';
import type { ImportEvent } from './import-events.ts';
import { defineScript, type Script } from './redis/script.ts';

/** The log of one job. `key`: the job's key, as BullMQ names it. */
export type EventLog = { readonly redis: Redis; readonly key: string };

export type LoggedEvent = JobEvent | ImportEvent;

/** A report, and the events that belong to it. */
export type ReportBatch = {
  readonly token: string; // of the job's lock, which the reporting worker holds
  readonly mark: string; // unique to the batch: a batch that was written last is not written again
  readonly report: object; // the state of the job, as BullMQ keeps its progress
  readonly events: readonly LoggedEvent[];
};

/** How long a log stays whose job was never added. */
const orphanSeconds = 3600;

/** The channel on which each append is published. */
export const channelOf = (key: string) => `${key}:events`;

const helpers = `
local log, job, lock = KEYS[1], KEYS[2], KEYS[3]
local function append(from)
  local first = redis.call('LLEN', log) + 1
  local lines = { tostring(first) }
  for i = from, #ARGV do
    redis.call('RPUSH', log, ARGV[i])
    lines[#lines + 1] = ARGV[i]
  end
  redis.call('PERSIST', log)
  if #lines > 1 then redis.call('PUBLISH', job .. ':events', table.concat(lines, '\\n')) end
end
local function newest()
  local text = redis.call('LINDEX', log, -1)
  return text and cjson.decode(text) or {}
end
`;

const beginScript = defineScript(`${helpers}
if redis.call('EXISTS', log) == 1 then return end
redis.call('RPUSH', log, ARGV[2])
redis.call('EXPIRE', log, ARGV[1])`);

const reportScript = defineScript(`${helpers}
local holder = redis.call('GET', lock)
if not holder then return 'unlocked' end
if holder ~= ARGV[1] then return 'taken' end
if redis.call('HGET', job, 'reported') == ARGV[2] then return 'written' end
redis.call('HSET', job, 'progress', ARGV[3], 'reported', ARGV[2])
append(4)
return 'written'`);

const queuedScript = defineScript(`${helpers}
if redis.call('EXISTS', job) == 0 then return end
redis.call('PERSIST', log)
if redis.call('EXISTS', lock) == 1 or redis.call('HEXISTS', job, 'finishedOn') == 1 then return end
local last = newest()
if last.type == 'done' then return end
if last.type == 'queued' and (last.position == tonumber(ARGV[1]) or last.at > ARGV[2]) then return end
append(3)`);

const doneScript = defineScript(`${helpers}
if redis.call('EXISTS', job) == 0 or newest().type == 'done' then return end
append(1)`);

const run = (script: Script, { redis, key }: EventLog, ...values: (string | number)[]) =>
  script(redis, [`${key}:logs`, key, `${key}:lock`], values);

/** `taken`: another worker holds the job's lock; `unlocked`: nobody does, since it has expired. */
export type ReportResult = 'written' | 'taken' | 'unlocked';

/**
 * Writes a report and its events at once, if the worker holds the job's lock. BullMQ's own `updateProgress` takes no
 * token, so that a worker that was frozen could overwrite its successor's report.
 */
export async function appendReport(log: EventLog, batch: ReportBatch): Promise<ReportResult> {
  const { token, mark, report, events } = batch;
  const texts = [report, ...events].map((value) => JSON.stringify(value));
  return (await run(reportScript, log, token, mark, ...texts)) as ReportResult;
}

/**
 * Writes the first event before the job is added, since a worker may take the job as soon as it is. The log expires
 * unless an event is appended to it.
 */
export async function beginLog(log: EventLog, event: LoggedEvent): Promise<void> {
  await run(beginScript, log, orphanSeconds, JSON.stringify(event));
}

/** Lets a log that `beginLog` began live as long as its job, which has been added. */
export async function keepLog({ redis, key }: EventLog): Promise<void> {
  await redis.persist(`${key}:logs`);
}

/**
 * Appends a job's place in line as it was at the time `at`, unless that place is the last event, a later place is known,
 * or the job no longer waits. From now on the log lives as long as the job.
 */
export async function appendQueued(log: EventLog, position: number, at: string): Promise<void> {
  const event: JobEvent = { type: 'queued', at, position };
  await run(queuedScript, log, position, at, JSON.stringify(event));
}

/** Appends the last event, once, however many processes notice the end of the job. */
export async function appendDone(log: EventLog, event: LoggedEvent): Promise<void> {
  await run(doneScript, log, JSON.stringify(event));
}

/**
 * Appends the last event of a training that has ended; returns false while it goes on. Called by the first process that
 * notices the end (worker or API).
 */
export async function tellEnding(log: EventLog, job: TrainJob): Promise<boolean> {
  const { status, modelVersion, error, finishedAt } = job;
  if (status === 'queued' || status === 'running') return false;
  await appendDone(log, { type: 'done', at: finishedAt!, status, modelVersion, error });
  return true;
}

/** The JSON texts of up to `count` events, from number `first` on. */
export async function readLog({ redis, key }: EventLog, first: number, count: number): Promise<string[]> {
  return redis.lrange(`${key}:logs`, first - 1, first + count - 2);
}

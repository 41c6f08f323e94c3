/**
 * The events of a job, kept with it in Redis as BullMQ's log of the job: a list of JSON texts, which goes when the job
 * goes, and which any BullMQ tool shows. An event's number is its place in the list, from 1; none is ever taken out.
 * Each append is published as well, for those that follow: `FIRST\nJSON\nJSON…`.
 */
import type { Redis } from 'ioredis';
import type { TrainJobReport } from './contract.ts';
import type { JobEvent } from './events.ts';

/** Those of one job. `key`: the job's own, as BullMQ names it. */
export type EventLog = { readonly redis: Redis; readonly key: string };

/** Appended together with the report that they changed, by the worker that holds the job's lock with `token`. */
export type ReportBatch = {
  readonly token: string;
  readonly mark: string; // its own: a second append with the mark of the last one changes nothing
  readonly report: TrainJobReport;
  readonly events: readonly JobEvent[];
};

/** How many seconds a log stays whose job was never added. */
const orphanSeconds = 3600;

const keysOf = (key: string) => [`${key}:logs`, key, `${key}:lock`] as const;

/** Where each append is published. */
export const channelOf = (key: string) => `${key}:events`;

const append = `
local function append(channel, from)
  local first = redis.call('LLEN', KEYS[1]) + 1
  local lines = { tostring(first) }
  for i = from, #ARGV do
    redis.call('RPUSH', KEYS[1], ARGV[i])
    lines[#lines + 1] = ARGV[i]
  end
  redis.call('PERSIST', KEYS[1])
  if #lines > 1 then redis.call('PUBLISH', channel, table.concat(lines, '\\n')) end
end
local function newest()
  local text = redis.call('LINDEX', KEYS[1], -1)
  return text and cjson.decode(text) or {}
end
`;

const reportScript = `${append}
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[2], 'reported') == ARGV[2] then return 1 end
redis.call('HSET', KEYS[2], 'progress', ARGV[3], 'reported', ARGV[2])
append(ARGV[4], 5)
return 1
`;

/**
 * Writes a report and its events at once. BullMQ's own `updateProgress` asks for no token, so a worker that was away
 * could overwrite what its successor reports. False when the job's lock is not this worker's.
 */
export async function appendReport({ redis, key }: EventLog, batch: ReportBatch): Promise<boolean> {
  const { token, mark, report, events } = batch;
  const values = [token, mark, JSON.stringify(report), channelOf(key), ...texts(events)];
  return (await redis.eval(reportScript, 3, ...keysOf(key), ...values)) === 1;
}

/** Before the job is added, so that it comes first: from then on a worker may take the job at any time. */
export async function beginLog({ redis, key }: EventLog, event: JobEvent): Promise<void> {
  const script = `
    if redis.call('EXISTS', KEYS[1]) == 1 then return end
    redis.call('RPUSH', KEYS[1], ARGV[1])
    redis.call('EXPIRE', KEYS[1], ARGV[2])`;
  await redis.eval(script, 1, keysOf(key)[0], ...texts([event]), orphanSeconds);
}

/** Once the job has been added. */
export async function keepLog({ redis, key }: EventLog): Promise<void> {
  await redis.persist(keysOf(key)[0]);
}

/** Where a job stood in line at a time; nothing where that was told last, or something newer, or it no longer is in line. */
export async function appendQueued({ redis, key }: EventLog, position: number, at: string): Promise<void> {
  const script = `${append}
    if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('EXISTS', KEYS[3]) == 1 then return end
    if redis.call('HEXISTS', KEYS[2], 'finishedOn') == 1 then return end
    local last = newest()
    if last.type == 'done' or (last.type == 'queued' and last.position == tonumber(ARGV[1])) then return end
    if last.type == 'queued' and last.at > ARGV[2] then return end
    append(ARGV[3], 4)`;
  const values = [position, at, channelOf(key), ...texts([{ type: 'queued', at, position }])];
  await redis.eval(script, 3, ...keysOf(key), ...values);
}

/** The end of a job that has ended, whoever comes first to say so. */
export async function appendDone({ redis, key }: EventLog, event: JobEvent): Promise<void> {
  const script = `${append}
    if redis.call('EXISTS', KEYS[2]) == 0 or newest().type == 'done' then return end
    append(ARGV[1], 2)`;
  await redis.eval(script, 3, ...keysOf(key), channelOf(key), ...texts([event]));
}

/** The JSON texts of up to `count` events from number `first` on. */
export async function readLog({ redis, key }: EventLog, first: number, count: number): Promise<string[]> {
  return redis.lrange(keysOf(key)[0], first - 1, first + count - 2);
}

const texts = (events: readonly JobEvent[]) => events.map((event) => JSON.stringify(event));

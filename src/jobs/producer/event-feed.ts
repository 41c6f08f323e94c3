/**
 * Follows the events of trainings and imports, for any number of readers. Each job with readers has one subscription, and a
 * window of its newest events in memory, which serves the readers that keep up. Older events are read from Redis.
 */
import type { Redis } from 'ioredis';
import { channelOf, type LoggedEvent } from '../event-log.ts';
import { connectSubscriber } from '../redis/connect.ts';
import { refusalOf } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';
import type { JobQueue } from './queue.ts';

/** A queue whose jobs can be followed. */
export type FollowedQueue = Pick<JobQueue, 'queueName' | 'events' | 'settle'>;

export type FeedEvent = { readonly type: LoggedEvent['type']; readonly json: string };

export type EventBatch = {
  readonly first: number; // the number of the first event; a job's first event is number 1
  readonly events: readonly FeedEvent[];
};

export type EventFeed = {
  /**
   * Yields the events of a job after number `after` as they happen, and an empty batch every `beatMs` while there are
   * none. Readers that wait for the same number get the same batch object. Ends after `done`, when the job is no longer
   * kept, when `signal` aborts, and when the feed closes.
   */
  follow(queue: FollowedQueue, jobId: string, after: number, signal: AbortSignal): AsyncGenerator<EventBatch>;
  close(): void;
};

export type FeedOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly outage: Pick<Outage, 'failed' | 'worked'>;
  /** How often idle readers get an empty batch, and jobs are checked for an end that their worker did not report; 10 s. */
  readonly beatMs?: number;
  /** The shortest time between two wake-ups of a job's readers; 50 ms, so at most 20 batches a second. */
  readonly gatherMs?: number;
};

/** A job that has readers. */
type Topic = {
  readonly queue: FollowedQueue;
  readonly jobId: string;
  isSubscribed: boolean;
  readers: number;
  window: { first: number; events: FeedEvent[] } | null; // null: the events have to be read from Redis
  newest: EventBatch | null; // the batch that was last cut from the window
  changes: number; // grows whenever readers should look again
  waiting: (() => void)[]; // readers, until the next change
  beats: number;
  state: 'open' | 'ended' | 'unknown'; // ended: no more events will come
  wokenAt: number; // ms
  waking: NodeJS.Timeout | null; // set while events have come that readers have not been woken for
};

type Feed = Required<FeedOptions> & { readonly topics: Map<string, Topic>; readonly subscriber: Redis };

const pageSize = 500; // events read from Redis at once
const windowSize = 200; // events; a full window drops the older half

export function openFeed(options: FeedOptions): EventFeed {
  const subscriber = connectSubscriber(options.redisUrl);
  const topics = new Map<string, Topic>(); // by channel
  const feed: Feed = { prefix: 'trainyard', beatMs: 10_000, gatherMs: 50, ...options, topics, subscriber };
  subscriber.on('error', () => {}); // the queue's connection reports an outage
  subscriber.on('ready', () => {
    for (const [channel, topic] of topics) if (!topic.isSubscribed) subscribe(feed, channel, topic);
    // Messages may have been missed. ioredis has subscribed again when the ping is answered.
    void subscriber.ping().then(() => topics.forEach(forget), ignore);
  });
  subscriber.on('message', (channel: string, text: string) => {
    const topic = topics.get(channel);
    if (!topic) return;
    extend(topic, text);
    const pauseMs = Math.max(0, topic.wokenAt + feed.gatherMs - performance.now());
    topic.waking ??= setTimeout(wake, pauseMs, topic);
  });
  const beat = setInterval(() => {
    subscriber.ping().catch(ignore); // without an answer the connection is replaced
    for (const [channel, topic] of topics) {
      if (!topic.isSubscribed) subscribe(feed, channel, topic); // it was refused
      void check(topic);
    }
  }, feed.beatMs);
  return {
    follow: (queue, jobId, after, signal) => read(feed, { queue, jobId }, after, signal),
    close: () => {
      clearInterval(beat);
      for (const topic of topics.values()) {
        topic.state = 'unknown';
        wake(topic);
      }
      subscriber.disconnect();
    },
  };
}

/** For errors of a subscriber that has no connection, or is closed. */
const ignore = () => {};

type Followed = Pick<Topic, 'queue' | 'jobId'>;

async function* read(
  feed: Feed,
  { queue, jobId }: Followed,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<EventBatch> {
  const channel = channelOf(`${feed.prefix}:${queue.queueName}:${jobId}`);
  const topic = join(feed, channel, { queue, jobId });
  const onAbort = () => wake(topic);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let next = after + 1;
    for (let { beats } = topic; !signal.aborted && topic.state !== 'unknown'; ) {
      const { changes, state } = topic; // before the read, so that nothing that comes meanwhile is missed
      const batch = fromWindow(topic, next) ?? (await fromRedis(queue, jobId, next));
      if (batch && batch.events.length > 0) {
        yield batch;
        next += batch.events.length;
        if (batch.events.at(-1)!.type === 'done') return;
      } else if (batch && state === 'ended') {
        return;
      } else if (topic.beats !== beats) {
        ({ beats } = topic);
        yield { first: next, events: [] };
      } else if (topic.changes === changes) {
        await new Promise<void>((resolve) => topic.waiting.push(resolve));
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    leave(feed, channel, topic);
  }
}

function join(feed: Feed, channel: string, followed: Followed): Topic {
  const known = feed.topics.get(channel);
  if (known) {
    known.readers++;
    return known;
  }
  const topic: Topic = {
    ...followed,
    isSubscribed: false,
    readers: 1,
    window: null,
    newest: null,
    changes: 0,
    waiting: [],
    beats: 0,
    state: 'open',
    wokenAt: 0,
    waking: null,
  };
  feed.topics.set(channel, topic);
  subscribe(feed, channel, topic);
  return topic;
}

/** If Redis refuses the subscription, readers get events only with each beat. */
function subscribe({ subscriber, outage }: Feed, channel: string, topic: Topic): void {
  const onSubscribed = () => {
    topic.isSubscribed = true;
    outage.worked('live events');
    forget(topic); // events may have been published before
  };
  subscriber
    .subscribe(channel)
    .then(onSubscribed)
    .catch((error: unknown) => {
      if (refusalOf(error) !== null) outage.failed('live events', error);
    });
}

function leave({ topics, subscriber }: Feed, channel: string, topic: Topic): void {
  if (--topic.readers > 0) return;
  clearTimeout(topic.waking ?? undefined);
  topics.delete(channel);
  subscriber.unsubscribe(channel).catch(ignore);
}

/** Adds a message to the window: `FIRST\nJSON\nJSON…`, as event-log.ts publishes it. */
function extend(topic: Topic, text: string): void {
  const [number, ...lines] = text.split('\n');
  const first = Number(number);
  const events = lines.map(parseEvent);
  const { window } = topic;
  if (!window || first !== window.first + window.events.length) {
    topic.window = { first, events };
    return;
  }
  window.events.push(...events);
  if (window.events.length > windowSize) window.first += window.events.splice(0, windowSize / 2).length;
}

function parseEvent(json: string): FeedEvent {
  return { type: (JSON.parse(json) as LoggedEvent).type, json };
}

function wake(topic: Topic): void {
  clearTimeout(topic.waking ?? undefined);
  topic.waking = null;
  topic.wokenAt = performance.now();
  topic.changes++;
  for (const resolve of topic.waiting.splice(0)) resolve();
}

function forget(topic: Topic): void {
  topic.window = null;
  wake(topic);
}

/** Finds a job whose worker was killed after it had ended the job and before it had appended `done`. */
async function check(topic: Topic): Promise<void> {
  const found = await topic.queue.settle(topic.jobId).catch(() => 'open' as const); // without Redis nothing is known
  topic.beats++;
  if (topic.state === 'open') topic.state = found;
  if (topic.state === 'open') wake(topic);
  else forget(topic); // Redis may hold a `done` that this process has not received
}

/** Null when `next` is outside the window; an empty batch at the window's end. */
function fromWindow(topic: Topic, next: number): EventBatch | null {
  const { window, newest } = topic;
  if (!window || next < window.first || next > window.first + window.events.length) return null;
  const length = window.first + window.events.length - next;
  if (newest?.first === next && newest.events.length === length) return newest;
  topic.newest = { first: next, events: window.events.slice(next - window.first) };
  return topic.newest;
}

/** Null without Redis; the reader tries again at the next change. */
async function fromRedis(queue: FollowedQueue, jobId: string, next: number): Promise<EventBatch | null> {
  const texts = await queue.events(jobId, next, pageSize).catch(() => null);
  return texts && { first: next, events: texts.map(parseEvent) };
}

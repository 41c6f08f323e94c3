/**
 * Follows the events of jobs for any number of readers: one subscription a job, and a window of its newest events in
 * memory, which serves all readers that keep up. What is older is read from Redis.
 */
import type { Redis } from 'ioredis';
import { queueName } from '../contract.ts';
import { channelOf } from '../event-log.ts';
import { connectSubscriber } from '../redis/connect.ts';
import { refusalOf } from '../redis/errors.ts';
import type { JobQueue } from './queue.ts';

export type EventBatch = {
  readonly first: number; // the number of the first event, from 1
  readonly events: readonly string[]; // JSON texts; readers at the same place get the same array
};

export type EventFeed = {
  /**
   * The events of a job after the one numbered `after`, as they happen; an empty batch every `beatMs` when there are none.
   * Ends after `done`, when the job is no longer kept, when `signal` aborts, and when the feed closes.
   */
  follow(jobId: string, after: number, signal: AbortSignal): AsyncGenerator<EventBatch>;
  close(): void;
};

type FeedOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly queue: Pick<JobQueue, 'events' | 'settle' | 'outage'>;
  /** How often readers hear of nothing, and jobs are looked after. */
  readonly beatMs?: number;
};

type Latch = { readonly promise: Promise<void>; readonly open: () => void };

/** A job that has readers. */
type Topic = {
  readonly jobId: string;
  isSubscribed: boolean;
  readers: number;
  window: { first: number; events: string[] } | null; // null: not known, Redis is asked
  newest: EventBatch | null; // cut from the window last
  growth: Latch; // settled and replaced whenever there may be something new
  beats: number;
  state: 'open' | 'ended' | 'gone'; // ended: nothing comes after what is there
  pause: NodeJS.Timeout | null; // running: readers were woken a moment ago
  grown: boolean; // since they were
};

const gatherMs = 50; // at most 20 wake-ups a second, however many events there are
const pageSize = 500; // events read from Redis at once
const windowSize = 200; // events; half of it goes when it is full

export function openFeed({ redisUrl, prefix = 'trainyard', queue, beatMs = 10_000 }: FeedOptions): EventFeed {
  const subscriber = connectSubscriber(redisUrl);
  const topics = new Map<string, Topic>(); // by channel
  subscriber.on('error', () => {}); // the queue's connection tells of an outage
  // What was published meanwhile was missed. A ping is answered after the subscriptions have been taken up again.
  subscriber.on('ready', () => void subscriber.ping().then(() => topics.forEach(forget), ignore));
  subscriber.on('message', (channel: string, text: string) => {
    const topic = topics.get(channel);
    if (topic) extend(topic, text);
  });
  const beat = setInterval(() => {
    subscriber.ping().catch(ignore); // unanswered, the connection is replaced
    for (const [channel, topic] of topics) {
      if (!topic.isSubscribed) subscribe({ subscriber, queue }, channel, topic); // it was refused
      void check(topic, queue);
    }
  }, beatMs);
  return {
    follow: (jobId, after, signal) => {
      const channel = channelOf(`${prefix}:${queueName}:${jobId}`);
      return read({ topics, subscriber, queue }, channel, jobId, after, signal);
    },
    close: () => {
      clearInterval(beat);
      for (const topic of topics.values()) end(topic, 'gone');
      subscriber.disconnect();
    },
  };
}

/** Of what can't be done without Redis, or by a feed that is closed. */
const ignore = () => {};

type Shared = {
  readonly topics: Map<string, Topic>;
  readonly subscriber: Redis;
  readonly queue: Pick<JobQueue, 'events' | 'outage'>;
};

async function* read(
  shared: Shared,
  channel: string,
  jobId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<EventBatch> {
  const topic = join(shared, channel, jobId);
  const leave = () => wake(topic);
  signal.addEventListener('abort', leave, { once: true });
  try {
    let next = after + 1;
    for (let { beats } = topic; !signal.aborted && topic.state !== 'gone'; ) {
      const { growth, state } = topic; // before it is looked for: what comes meanwhile is not missed
      const batch = fromWindow(topic, next) ?? (await fromRedis(shared.queue, jobId, next));
      if (batch && batch.events.length > 0) {
        yield batch;
        next += batch.events.length;
        if (isDone(batch.events.at(-1)!)) return;
      } else if (batch && state === 'ended') {
        return;
      } else if (topic.beats !== beats) {
        ({ beats } = topic);
        yield { first: next, events: [] };
      } else {
        await growth.promise;
      }
    }
  } finally {
    signal.removeEventListener('abort', leave);
    part(shared, channel, topic);
  }
}

function join(shared: Shared, channel: string, jobId: string): Topic {
  const { topics } = shared;
  const known = topics.get(channel);
  if (known) {
    known.readers++;
    return known;
  }
  const topic: Topic = {
    jobId,
    isSubscribed: false,
    readers: 1,
    window: null,
    newest: null,
    growth: createLatch(),
    beats: 0,
    state: 'open',
    pause: null,
    grown: false,
  };
  topics.set(channel, topic);
  subscribe(shared, channel, topic);
  return topic;
}

/** Where Redis refuses, readers get their events with the next beat. */
function subscribe(
  { subscriber, queue }: Pick<Shared, 'subscriber' | 'queue'>,
  channel: string,
  topic: Topic,
): void {
  const onSubscribed = () => {
    topic.isSubscribed = true;
    queue.outage.worked('subscribe');
    forget(topic); // what was published before has to be read
  };
  subscriber
    .subscribe(channel)
    .then(onSubscribed)
    .catch((error: unknown) => {
      if (refusalOf(error) !== null) queue.outage.failed('subscribe', error);
    });
}

function part({ topics, subscriber }: Shared, channel: string, topic: Topic): void {
  if (--topic.readers > 0) return;
  if (topic.pause) clearTimeout(topic.pause);
  topics.delete(channel);
  subscriber.unsubscribe(channel).catch(ignore);
}

/** `FIRST\nJSON\nJSON…`, as event-log.ts publishes it. */
function extend(topic: Topic, text: string): void {
  const [number, ...events] = text.split('\n');
  const first = Number(number);
  const { window } = topic;
  if (window && first === window.first + window.events.length) window.events.push(...events);
  else topic.window = { first, events };
  if (window && window.events.length > windowSize) {
    const dropped = window.events.splice(0, windowSize / 2).length;
    window.first += dropped;
  }
  announce(topic);
}

/** Wakes readers at once, and then again when they have had a pause. */
function announce(topic: Topic): void {
  topic.grown = true;
  if (topic.pause) return;
  wake(topic);
  topic.pause = setTimeout(() => {
    topic.pause = null;
    if (topic.grown) announce(topic);
  }, gatherMs);
}

function wake(topic: Topic): void {
  topic.grown = false;
  topic.growth.open();
  topic.growth = createLatch();
}

function createLatch(): Latch {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

function forget(topic: Topic): void {
  topic.window = null;
  wake(topic);
}

/** The last look is at Redis: `done` may be there and not have been published to this process yet. */
function end(topic: Topic, state: 'ended' | 'gone'): void {
  topic.state = state;
  forget(topic);
}

/** A worker may have ended a job and been killed before it said so. */
async function check(topic: Topic, queue: Pick<JobQueue, 'settle'>): Promise<void> {
  const found = await queue.settle(topic.jobId).catch(() => 'open' as const); // without Redis nothing is known
  topic.beats++;
  if (found === 'open') wake(topic);
  else end(topic, found === 'ended' ? 'ended' : 'gone');
}

/** Null for what the window does not reach; an empty batch at its end. */
function fromWindow(topic: Topic, next: number): EventBatch | null {
  const { window, newest } = topic;
  if (!window || next < window.first || next > window.first + window.events.length) return null;
  const length = window.first + window.events.length - next;
  if (newest?.first === next && newest.events.length === length) return newest;
  topic.newest = { first: next, events: window.events.slice(next - window.first) };
  return topic.newest;
}

/** Null without Redis: later. */
async function fromRedis(queue: Shared['queue'], jobId: string, next: number): Promise<EventBatch | null> {
  const events = await queue.events(jobId, next, pageSize).catch(() => null);
  return events && { first: next, events };
}

/** As JSON.stringify writes it: `type` comes first. */
function isDone(text: string): boolean {
  return text.startsWith('{"type":"done"');
}

/**
 * Reads pictures: a few here, more in threads. As many orders are in flight as keep every thread busy, and no more: whoever
 * sends them waits for room first.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../../lib/thread.ts';
import '../../image/decode.ts'; // blocks libvips' other loaders, which only the main thread can
import type {
  EndOrder,
  Pictures,
  ReadAnswer,
  ReadOrder,
  ReadResult,
  ReadTask,
  ReadThreadData,
} from './read-order.ts';
import { readPictures } from './read-pictures.ts';

const mostThreads = Math.max(1, availableParallelism() - 1); // one core stays free for answers
const few = 16; // pictures: one order, for which a thread would take longer to start than to read them
const mostMsToEnd = 5000; // the largest picture takes less
const ordersEach = 2; // in flight: one that is read, one that waits

export type ReadPool = {
  /** Resolves once a thread has the order, which is when the next may be sent; `done` gets the answer. */
  send(task: ReadTask, pictures: Pictures, done: (answer: ReadAnswer) => void): Promise<void>;
  /** Resolves when every order has been answered. @throws what ended a thread, or what `done` threw */
  idle(): Promise<void>;
  /** Ends the threads. No answer comes any more. */
  close(): Promise<void>;
};

type Thread = { readonly worker: Worker; readonly pending: Map<number, (answer: ReadAnswer) => void> };

/** For an archive with so many pictures. */
export function openReadPool(archive: string, pictures: number): ReadPool {
  return pictures > few ? openThreads(archive, mostThreads) : readingHere(archive);
}

function readingHere(archive: string): ReadPool {
  const file = openSync(archive, 'r');
  let isClosed = false;
  return {
    send: async (task, pictures, done) => done(await readPictures(file, task, pictures, () => isClosed)),
    idle: async () => {},
    close: async () => {
      isClosed = true;
      closeSync(file);
    },
  };
}

function openThreads(archive: string, threadCount: number): ReadPool {
  const data: ReadThreadData = { archive };
  let failure: Error | null = null;
  let waiting: (() => void)[] = [];
  let nextId = 0;
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const go of woken) go();
  };
  const start = (): Thread => {
    const worker = startThread(import.meta.url, 'read-thread', { workerData: data });
    const thread: Thread = { worker, pending: new Map() };
    worker.on('message', ({ id, answer }: ReadResult) => {
      const done = thread.pending.get(id);
      thread.pending.delete(id);
      try {
        done?.(answer);
      } catch (error) {
        failure ??= error as Error; // a disk that is full, for example: whoever waits gets it
      }
      wake();
    });
    worker.on('error', (error) => {
      failure ??= error;
      wake();
    });
    return thread;
  };
  const threads = Array.from({ length: threadCount }, start);
  const leastBusy = () => threads.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
  const until = async (isSo: () => boolean) => {
    while (!failure && !isSo()) await new Promise<void>((resolve) => waiting.push(resolve));
    if (failure) throw failure;
  };
  return {
    send: async (task, pictures, done) => {
      await until(() => leastBusy().pending.size < ordersEach);
      const { worker, pending } = leastBusy();
      const order: ReadOrder = { id: nextId++, task, pictures };
      pending.set(order.id, done);
      worker.postMessage(order, pictures.kind === 'greys' ? [pictures.greys.buffer as ArrayBuffer] : []);
    },
    idle: () => until(() => threads.every(({ pending }) => pending.size === 0)),
    close: async () => {
      for (const { pending } of threads) pending.clear();
      await Promise.all(threads.map(({ worker }) => end(worker)));
    },
  };
}

/**
 * A thread ends by itself after its picture: Node 20 aborts the process if one is terminated while it makes a zlib stream
 * ("close before init").
 */
async function end(worker: Worker): Promise<void> {
  if (worker.threadId < 0) return; // it has ended
  const gone = once(worker, 'exit');
  worker.postMessage({ task: 'end' } satisfies EndOrder);
  const limit = setTimeout(() => void worker.terminate(), mostMsToEnd);
  await gone;
  clearTimeout(limit);
}

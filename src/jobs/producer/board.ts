/** The queue as Bull Board reads it. */
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { Queue } from 'bullmq';

export type Board = {
  readonly adapter: BaseAdapter;
  /** Ends within a second; without Redis by a TrainyardError `REDIS_UNAVAILABLE`. */
  readonly answer: <T>(call: () => Promise<T>) => Promise<T>;
};

/**
 * To be looked at only: whether a job runs again or goes away is for the API and the worker to say, which keep events,
 * cancel marks and resume points with it. A retry or a clean-up past them would leave these behind.
 */
export async function adaptForBoard(queue: Queue): Promise<BaseAdapter> {
  // Loaded when somebody looks: it brings BullMQ once more, as CommonJS, which takes 7 MB and 150 ms.
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  return new BullMQAdapter(queue, { readOnlyMode: true });
}

/** A queue as Bull Board reads it. */
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { Queue } from '../bullmq.ts';

/**
 * Read-only: a retry or a clean-up in Bull Board would bypass the API and the worker, and leave behind what belongs to a job:
 * events, cancel mark and resume points, or the archive of an import.
 */
export async function adaptForBoard<Data, Result>(queue: Queue<Data, Result>): Promise<BaseAdapter> {
  // Loaded on first use: few ask for the board.
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  return new BullMQAdapter(queue, { readOnlyMode: true });
}

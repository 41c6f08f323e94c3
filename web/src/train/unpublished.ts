/** Epochs that have ended without a version: they are in no list of the job's. */
import type { Curve } from './curve.ts';

/** The numbers of these epochs, in order. */
export function unpublished({
  status,
  progress,
  epochs,
}: Pick<Curve, 'status' | 'progress' | 'epochs'>): number[] {
  if (progress === null) return [];
  const ended = status === 'succeeded' ? progress.epoch : progress.epoch - 1; // else the last one is under way, or was
  const published = new Set(epochs.map(({ epoch }) => epoch));
  return Array.from({ length: ended }, (_, i) => i + 1).filter((epoch) => !published.has(epoch));
}

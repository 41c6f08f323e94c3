/**
 * Totals over all imports that a worker has ended, for the metrics: one hash in Redis, which workers add to and servers read.
 * A worker that is killed between the end of an import and this addition leaves that import out.
 */
import type { Redis } from 'ioredis';

export const importStatuses = ['succeeded', 'failed', 'cancelled'] as const;
export type ImportStatus = (typeof importStatuses)[number];

export type ImportTotals = {
  readonly ended: Readonly<Record<ImportStatus, number>>; // imports
  readonly pictures: { readonly read: number; readonly refused: number };
};

/** What one import adds. */
export type EndedImport = { readonly status: ImportStatus } & ImportTotals['pictures'];

export async function addToTotals(
  redis: Redis,
  prefix: string,
  { status, read, refused }: EndedImport,
): Promise<void> {
  const key = keyOf(prefix);
  const transaction = redis.multi().hincrby(key, status, 1);
  await transaction.hincrby(key, 'read', read).hincrby(key, 'refused', refused).exec();
}

export async function readTotals(redis: Redis, prefix: string): Promise<ImportTotals> {
  const totals = await redis.hgetall(keyOf(prefix));
  const of = (field: string) => Number(totals[field] ?? 0);
  return {
    ended: { succeeded: of('succeeded'), failed: of('failed'), cancelled: of('cancelled') },
    pictures: { read: of('read'), refused: of('refused') },
  };
}

function keyOf(prefix: string): string {
  return `${prefix}:import-totals`;
}

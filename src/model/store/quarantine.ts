/** The quarantine: damaged versions are moved here with the reason, for a person to inspect. Nothing here is deleted. */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isCode, syncDirectory, writeDurably } from '../../lib/files.ts';
import { listQuarantine, quarantineOf } from './version-numbers.ts';

const recordSchema = z.object({ version: z.int().positive(), reason: z.string(), at: z.iso.datetime() });

export type Quarantined = {
  readonly version: number;
  readonly reason: string;
  readonly at: string | null; // null: not recorded
};

/** Moves a version into quarantine. Does nothing if another server has already moved it. */
export async function quarantine(root: string, version: number, reason: string): Promise<void> {
  await mkdir(quarantineOf(root), { recursive: true });
  const place = await moveAside(join(root, String(version)), join(quarantineOf(root), String(version)));
  if (place === null) return;
  const record: z.output<typeof recordSchema> = { version, reason, at: new Date().toISOString() };
  const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
  await writeDurably(join(place, 'reason.json'), bytes).catch(() => {}); // the disk is full; the log has the reason
  await syncDirectory(quarantineOf(root));
}

/** Lists the newest `limit` versions in quarantine, newest first. */
export async function listQuarantined(root: string, limit: number): Promise<Quarantined[]> {
  const newest = (await listQuarantine(root)).slice(0, limit);
  return Promise.all(newest.map(({ name, version }) => readRecord(root, name, version)));
}

async function readRecord(root: string, name: string, version: number): Promise<Quarantined> {
  try {
    const text = await readFile(join(quarantineOf(root), name, 'reason.json'), 'utf8');
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return { version, reason: `model ${version}, for a reason that was not recorded`, at: null };
  }
}

/** Renames to `to`, or to `to`-2, `to`-3 … if that exists. Returns the new path; null when there is nothing to move. */
async function moveAside(from: string, to: string): Promise<string | null> {
  for (let copy = 1; ; copy++) {
    const place = copy === 1 ? to : `${to}-${copy}`;
    try {
      await rename(from, place);
      return place;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return null;
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

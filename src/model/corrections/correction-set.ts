/**
 * A frozen set of corrections: DATA_DIR/correction-sets/SHA256/set, where the name is the checksum of the file, a line of
 * JSON followed by the pixels. So equal sets are one file, and a job that names a set always trains on the same pictures.
 * A fifth of them, the first by id, is held out: ids are checksums, so that this is a random choice which is always the same.
 */
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, removeDirectory } from '../../lib/create-directory.ts';
import { TrainyardError } from '../../lib/errors.ts';
import { exists, isCode } from '../../lib/files.ts';
import { sha256Of } from '../../lib/sha256.ts';
import { classCount, imageSize, type Split } from '../data/dataset.ts';

const fileName = 'set';
const heldOutShare = 1 / 5;
const setsKept = 100; // the newest; a queued job whose set is gone fails

export type CorrectionSet = {
  readonly sha256: string;
  readonly train: Split; // labels 0 … 9; 10: none of them
  readonly heldOut: Split; // likewise
};

/** A correction as a set keeps it. */
type Item = {
  readonly id: string;
  readonly label: string | null; // null: none of the labels
  readonly pixels: Uint8Array; // [784]
};
type Head = {
  readonly format: 1;
  readonly model: string;
  readonly corrections: readonly Omit<Item, 'pixels'>[]; // by id
};

const rootOf = (dataDir: string) => join(dataDir, 'correction-sets');

/** Returns the SHA-256 of the set. @throws the file system's error */
export async function writeSet(dataDir: string, model: string, items: readonly Item[]): Promise<string> {
  const root = rootOf(dataDir);
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const head: Head = { format: 1, model, corrections: sorted.map(({ id, label }) => ({ id, label })) };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const bytes = Buffer.concat([line, ...sorted.map(({ pixels }) => pixels)]);
  const sha256 = sha256Of(bytes);
  const now = new Date();
  const isNew = await createDirectory(root, sha256, { [fileName]: bytes });
  if (!isNew) await utimes(join(root, sha256), now, now); // one of the newest again
  await removeOld(root).catch(() => {}); // the next writer tries again
  return sha256;
}

export function hasSet(dataDir: string, sha256: string): Promise<boolean> {
  return exists(join(rootOf(dataDir), sha256, fileName));
}

/** @throws TrainyardError `CORRECTIONS_MISSING` or `CORRECTIONS_DAMAGED` */
export async function readSet(dataDir: string, sha256: string): Promise<CorrectionSet> {
  const path = join(rootOf(dataDir), sha256, fileName);
  const bytes = await readFile(path).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error;
    const message = `expected the frozen corrections in ${path}, which is gone: only the newest ${setsKept} sets are kept; queue the job again`;
    throw new TrainyardError('CORRECTIONS_MISSING', message);
  });
  const got = sha256Of(bytes);
  if (got === sha256) return decode(sha256, bytes);
  const message = `${path}: expected SHA-256 ${sha256}, got ${got}; queue the job again, which freezes a new set`;
  throw new TrainyardError('CORRECTIONS_DAMAGED', message);
}

function decode(sha256: string, bytes: Buffer): CorrectionSet {
  const end = bytes.indexOf('\n');
  const { corrections } = JSON.parse(bytes.toString('utf8', 0, end)) as Head;
  const pixels = bytes.subarray(end + 1);
  const heldOut = Math.floor(corrections.length * heldOutShare);
  const part = (from: number, to: number): Split => ({
    count: to - from,
    images: new Uint8Array(pixels.subarray(from * imageSize, to * imageSize)),
    labels: Uint8Array.from(corrections.slice(from, to), ({ label }) => Number(label ?? classCount)),
  });
  return { sha256, train: part(heldOut, corrections.length), heldOut: part(0, heldOut) };
}

async function removeOld(root: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (names.length <= setsKept) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(root, name))).mtimeMs })),
  );
  const old = dated.toSorted((a, b) => b.at - a.at).slice(setsKept);
  for (const { name } of old) await removeDirectory(root, name);
}

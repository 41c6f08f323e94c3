/**
 * A frozen set of corrections: DATA_DIR/correction-sets/SHA256/set, where the name is the checksum of the file, a line of
 * JSON followed by the pixels. So equal sets are one file, and a job that names a set always trains on the same pictures.
 * A fifth of them, the first by id, is held out: ids are checksums, so the choice is as good as random, and the same for the
 * same set.
 */
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, removeDirectory, removeStale } from '../../lib/create-directory.ts';
import { TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import { sha256Of } from '../../lib/sha256.ts';
import { imageSize, type Split } from '../data/dataset.ts';

const fileName = 'set';
const heldOutShare = 1 / 5;
const setsKept = 100; // the newest, and those of jobs that have not ended

export type CorrectionSet = {
  readonly sha256: string;
  readonly train: Split; // labels 0 … C - 1 of C; C: none of them
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

export const setsIn = (dataDir: string) => join(dataDir, 'correction-sets');

/** The SHA-256 of the sets that jobs will still read. Asked for only where there are too many sets. */
export type SetsInUse = () => Promise<ReadonlySet<string>>;

/** Returns the SHA-256 of the set, and deletes the oldest where there are too many. @throws the file system's error */
export async function writeSet(
  dataDir: string,
  model: string,
  items: readonly Item[],
  setsInUse: SetsInUse,
): Promise<string> {
  const root = setsIn(dataDir);
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const head: Head = { format: 1, model, corrections: sorted.map(({ id, label }) => ({ id, label })) };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const bytes = Buffer.concat([line, ...sorted.map(({ pixels }) => pixels)]);
  const sha256 = sha256Of(bytes);
  if (!(await createDirectory(root, sha256, { [fileName]: bytes })) && !(await renewed(dataDir, sha256))) {
    await removeDirectory(root, sha256); // a damaged one
    await createDirectory(root, sha256, { [fileName]: bytes });
  }
  await removeOld(root, setsInUse).catch(() => {}); // the next writer tries again
  return sha256;
}

/** Makes a set one of the newest again, and returns its bytes; null for one that is damaged or gone. */
async function renewed(dataDir: string, sha256: string): Promise<Buffer | null> {
  const now = new Date();
  try {
    const bytes = await readBytes(dataDir, sha256);
    await utimes(join(setsIn(dataDir), sha256), now, now);
    return bytes;
  } catch (error) {
    if (isCode(error, 'CORRECTIONS_MISSING', 'CORRECTIONS_DAMAGED', 'ENOENT')) return null;
    throw error;
  }
}

/** The model of a set, which counts as used from now on; null for one that is damaged or gone. */
export async function modelOfSet(dataDir: string, sha256: string): Promise<string | null> {
  const bytes = await renewed(dataDir, sha256);
  return bytes && headOf(bytes).model;
}

/**
 * @param labels of the data set that is trained on; corrections with another label are left out
 * @throws TrainyardError `CORRECTIONS_MISSING` or `CORRECTIONS_DAMAGED`
 */
export async function readSet(
  dataDir: string,
  sha256: string,
  labels: readonly string[],
): Promise<CorrectionSet> {
  return decode(sha256, await readBytes(dataDir, sha256), labels);
}

async function readBytes(dataDir: string, sha256: string): Promise<Buffer> {
  const path = join(setsIn(dataDir), sha256, fileName);
  const bytes = await readFile(path).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    const message = `expected the frozen corrections in ${path}, which is gone: only the newest ${setsKept} sets and those of unfinished jobs are kept; queue a job with corrections: true`;
    throw new TrainyardError('CORRECTIONS_MISSING', message);
  });
  const got = sha256Of(bytes);
  if (got === sha256) return bytes;
  const message = `${path}: expected SHA-256 ${sha256}, got ${got}; queue a job with corrections: true, which freezes a new set`;
  throw new TrainyardError('CORRECTIONS_DAMAGED', message);
}

function headOf(bytes: Buffer): Head {
  return JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n'))) as Head;
}

function decode(sha256: string, bytes: Buffer, labels: readonly string[]): CorrectionSet {
  const { corrections } = headOf(bytes);
  const pixels = bytes.subarray(bytes.indexOf('\n') + 1);
  const positions = new Map<string | null, number>(labels.map((label, i) => [label, i]));
  positions.set(null, labels.length);
  const known = [...corrections.keys()].filter((i) => positions.has(corrections[i]!.label));
  const heldOut = Math.floor(known.length * heldOutShare);
  const part = (places: readonly number[]): Split => ({
    count: places.length,
    images: new Uint8Array(
      Buffer.concat(places.map((i) => pixels.subarray(i * imageSize, (i + 1) * imageSize))),
    ),
    labels: Uint16Array.from(places, (i) => positions.get(corrections[i]!.label)!),
  });
  return { sha256, train: part(known.slice(heldOut)), heldOut: part(known.slice(0, heldOut)) };
}

async function removeOld(root: string, setsInUse: SetsInUse): Promise<void> {
  await removeStale(root);
  const names = (await readdir(root)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (names.length <= setsKept) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(root, name))).mtimeMs })),
  );
  const old = dated.toSorted((a, b) => b.at - a.at).slice(setsKept);
  const inUse = await setsInUse();
  for (const { name } of old) if (!inUse.has(name)) await removeDirectory(root, name);
}

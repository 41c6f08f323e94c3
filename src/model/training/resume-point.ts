/**
 * Resume points: files that record every few seconds where a job stands, so that a later attempt resumes there.
 * A file holds the SHA-256 of the rest, a line of JSON, and three float32 vectors. The newest two are kept: if
 * the newest is damaged, the one before it is used.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fencedOff, messageOf } from '../../lib/errors.ts';
import { isCode, syncDirectory, writeDurably } from '../../lib/files.ts';
import { sha256Of } from '../../lib/sha256.ts';
import type { Promotion } from '../registry/promotion.ts';
import { valuesOfEarlierPlans } from './recipe.ts';
import type { EpochMetrics, RunPosition, TrainPlan } from './training-run.ts';
import type { Workspace } from './workspace.ts';

export type PublishedEpoch = EpochMetrics & {
  readonly modelVersion: number;
  readonly promotion?: Promotion; // epochs that an earlier program published have none
};

export type ResumePoint = {
  readonly plan: TrainPlan;
  readonly device: string; // on another device the run ends with other bytes
  readonly crashes: number; // of this job, before this point was reached
  readonly published: readonly PublishedEpoch[];
  readonly position: RunPosition;
};

export type FoundResumePoint = {
  readonly point: ResumePoint | null;
  /** Newer resume points that can't be used, and why. */
  readonly unusable: readonly { readonly name: string; readonly reason: string }[];
};

const keep = 2;
const suffix = '.resume';
const digestLength = 64; // hex digits

/**
 * Writes a resume point durably: once it returns, a crash can't lose the point.
 *
 * @throws TrainyardError `FENCED` when a later attempt has taken over; otherwise the file system's error
 */
export async function saveResumePoint({ directory, staging }: Workspace, point: ResumePoint): Promise<void> {
  const { step, epoch } = point.position;
  const name = `${step}-${epoch}${suffix}`;
  try {
    await writeDurably(join(staging, name), encode(point));
    await rename(join(staging, name), join(directory, name));
  } catch (error) {
    throw isCode(error, 'ENOENT') ? fencedOff(error) : error;
  }
  await syncDirectory(directory);
  const older = (await listNewestFirst(directory)).slice(keep);
  await Promise.all(older.map((old) => rm(join(directory, old), { force: true })));
}

/** Finds the newest resume point that is readable, undamaged and made for `plan`. */
export async function findResumePoint(directory: string, plan: TrainPlan): Promise<FoundResumePoint> {
  const unusable: { name: string; reason: string }[] = [];
  for (const name of await listNewestFirst(directory)) {
    const read = await readResumePoint(join(directory, name), plan);
    if (typeof read !== 'string') return { point: read, unusable };
    unusable.push({ name, reason: read });
  }
  return { point: null, unusable };
}

/** Returns the resume point, or the reason why it can't be used. */
async function readResumePoint(path: string, plan: TrainPlan): Promise<ResumePoint | string> {
  try {
    const point = decode(await readFile(path));
    if (!point) return 'checksum or form is wrong';
    const stored = { ...valuesOfEarlierPlans, ...point.plan };
    return isDeepStrictEqual(stored, plan) ? { ...point, plan } : 'made for another request';
  } catch (error) {
    return messageOf(error);
  }
}

/** Deletes the unusable resume points, so that none of them is kept in place of a good one. */
export async function removeUnusable(directory: string, { unusable }: FoundResumePoint): Promise<void> {
  for (const { name } of unusable) await rm(join(directory, name), { recursive: true, force: true });
}

async function listNewestFirst(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  const numbered = names.flatMap((name) => {
    const [, step, epoch] = /^(\d+)-(\d+)\.resume$/.exec(name) ?? [];
    return step === undefined ? [] : [{ name, step: Number(step), epoch: Number(epoch) }];
  });
  return numbered.toSorted((a, b) => b.step - a.step || b.epoch - a.epoch).map(({ name }) => name);
}

function encode(point: ResumePoint): Buffer {
  const { weights, mean, variance, ...position } = point.position;
  const head = Buffer.from(`${JSON.stringify({ ...point, position })}\n`);
  const body = Buffer.concat([head, ...[weights, mean, variance].map(bytesOf)]);
  return Buffer.concat([Buffer.from(sha256Of(body)), body]);
}

/** Returns null for anything that `encode` did not write. */
function decode(bytes: Buffer): ResumePoint | null {
  const body = bytes.subarray(digestLength);
  if (sha256Of(body) !== bytes.toString('latin1', 0, digestLength)) return null;
  const end = body.indexOf('\n');
  const { position, ...rest } = JSON.parse(body.toString('utf8', 0, end)) as ResumePoint;
  const vectors = new Float32Array(Uint8Array.from(body.subarray(end + 1)).buffer); // a copy is aligned
  const size = vectors.length / 3;
  const [weights, mean, variance] = [0, 1, 2].map((i) => vectors.subarray(i * size, (i + 1) * size));
  const lossSum = position.lossSum ?? Number.NaN; // JSON has no NaN
  return { ...rest, position: { ...position, lossSum, weights: weights!, mean: mean!, variance: variance! } };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

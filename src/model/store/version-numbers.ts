/** Version numbers: lists the existing ones and claims the next one that no version has ever had. */
import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../lib/files.ts';

/** The directory of damaged versions: VERSION, or VERSION-2 … if that name is taken. */
export const quarantineOf = (root: string) => join(root, 'quarantine');

/**
 * The directory with an empty file for each of the last claimed numbers. A number is claimed by a file's name, not by
 * its content: a name is never half-written, and only one of two writers can create it.
 */
const claimsOf = (root: string) => join(root, '.numbers');
const claimsKept = 100;

/** Lists all versions, newest first, from one directory listing; no file is read. */
export async function listVersions(root: string): Promise<number[]> {
  const entries = await emptyIfMissing(readdir(root, { withFileTypes: true }));
  return entries
    .filter((entry) => entry.isDirectory() && /^[1-9][0-9]{0,14}$/.test(entry.name))
    .map(({ name }) => Number(name))
    .toSorted((a, b) => b - a);
}

/** Lists the names in quarantine with their version numbers, newest first. */
export async function listQuarantine(root: string): Promise<{ name: string; version: number }[]> {
  const names = await emptyIfMissing(readdir(quarantineOf(root)));
  return names
    .map((name) => ({ name, version: numberIn(name) }))
    .filter(({ version }) => version > 0)
    .toSorted((a, b) => b.version - a.version);
}

/** The number after the highest that any version has had, deleted and quarantined versions included. */
export async function nextNumber(root: string): Promise<number> {
  return (await highestNumber(root)) + 1;
}

/**
 * Claims a number; returns false if another writer has claimed it. A number could only be claimed twice if a writer
 * slept through a hundred others between `nextNumber` and this call.
 */
export async function claimNumber(root: string, number: number): Promise<boolean> {
  const claims = claimsOf(root);
  await mkdir(claims, { recursive: true });
  await forgetClaims(claims, number - claimsKept);
  try {
    await (await open(join(claims, String(number)), 'wx')).close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function highestNumber(root: string): Promise<number> {
  let highest = 0;
  for (const directory of [root, quarantineOf(root), claimsOf(root)]) {
    for (const name of await emptyIfMissing(readdir(directory))) highest = Math.max(highest, numberIn(name));
  }
  return highest;
}

async function forgetClaims(claims: string, upTo: number): Promise<void> {
  for (const name of await readdir(claims)) {
    if (numberIn(name) <= upTo) await unlink(join(claims, name)).catch(() => {}); // another writer has removed it
  }
}

/** 7 for `7` and for `7-2`; 0 for any other name. */
function numberIn(name: string): number {
  return Number(/^([1-9][0-9]{0,14})(?:-[0-9]+)?$/.exec(name)?.[1] ?? 0);
}

async function emptyIfMissing<Entry>(listing: Promise<Entry[]>): Promise<Entry[]> {
  return listing.catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
}

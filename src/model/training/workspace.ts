/**
 * What one job keeps on disk while it is not done: DATA_DIR/jobs/ID with the attempts' staging directories and
 * the resume points. One attempt at a time can write: a newer one takes the older one's staging directory
 * away, and since everything is written there first and then renamed into place, nothing of the older
 * one can appear any more, however late it wakes up.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';

export type Workspace = {
  readonly directory: string; // holds the resume points
  readonly staging: string; // this attempt's own
};

export function workspaceDirectory(dataDir: string, jobId: string): string {
  return join(dataDir, 'jobs', jobId);
}

/**
 * Makes `attempt` (1, 2, …) the one that may write.
 *
 * @throws TrainyardError `FENCED` when a later attempt, or this very one, has done so before
 */
export async function claimWorkspace(dataDir: string, jobId: string, attempt: number): Promise<Workspace> {
  const directory = workspaceDirectory(dataDir, jobId);
  const staging = join(directory, `attempt-${attempt}`);
  await mkdir(directory, { recursive: true });
  await mkdir(staging).catch((error: unknown) => {
    throw isCode(error, 'EEXIST') ? fenced(jobId, attempt, attempt) : error;
  });
  // Made first, listed then: of two attempts that start together, at least one sees the other.
  const others = (await attemptsIn(directory)).filter((other) => other !== attempt);
  const later = others.find((other) => other > attempt);
  if (later !== undefined) {
    await rm(staging, { recursive: true, force: true });
    throw fenced(jobId, attempt, later);
  }
  for (const other of others) await revoke(directory, other);
  return { directory, staging };
}

/** For a job that is done: nothing will be taken up again. */
export async function removeWorkspace(dataDir: string, jobId: string): Promise<void> {
  await rm(workspaceDirectory(dataDir, jobId), { recursive: true, force: true, maxRetries: 3 });
}

/** The ids of the jobs that have one. */
export async function workspaces(dataDir: string): Promise<string[]> {
  return readdir(join(dataDir, 'jobs')).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
}

/** Since anything was written into it. */
export async function workspaceAgeMs(dataDir: string, jobId: string): Promise<number> {
  return Date.now() - (await stat(workspaceDirectory(dataDir, jobId))).mtimeMs;
}

async function attemptsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => /^attempt-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
}

/** By one rename, so that there is no moment in which the older attempt can still put half of something in place. */
async function revoke(directory: string, attempt: number): Promise<void> {
  const revoked = join(directory, `revoked-${randomUUID()}`);
  await rename(join(directory, `attempt-${attempt}`), revoked).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error; // it has given up by itself, or another has revoked it
  });
  await rm(revoked, { recursive: true, force: true, maxRetries: 3 });
}

function fenced(jobId: string, attempt: number, other: number): TrainyardError {
  const message = `expected attempt ${attempt} of job ${jobId} to be the newest, found attempt ${other}; this one ends`;
  return new TrainyardError('FENCED', message);
}

/**
 * The directory of an unfinished job, DATA_DIR/jobs/ID: a staging directory for each attempt, and the resume points.
 * Only one attempt can write at a time. Each attempt writes into its staging directory and renames from there; a newer
 * attempt first renames the older one's staging directory away, so that nothing of the older attempt can appear later.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';

export type Workspace = {
  readonly directory: string; // holds the resume points
  readonly staging: string; // of this attempt
};

export function workspaceDirectory(dataDir: string, jobId: string): string {
  return join(dataDir, 'jobs', jobId);
}

/**
 * Makes `attempt` (1, 2, …) the only one that may write.
 *
 * @throws TrainyardError `FENCED` when this or a later attempt has already claimed the workspace
 */
export async function claimWorkspace(dataDir: string, jobId: string, attempt: number): Promise<Workspace> {
  const directory = workspaceDirectory(dataDir, jobId);
  const staging = join(directory, `attempt-${attempt}`);
  await mkdir(directory, { recursive: true });
  await mkdir(staging).catch((error: unknown) => {
    throw isCode(error, 'EEXIST') ? fenced(jobId, attempt, attempt) : error;
  });
  // Created before listing: of two attempts that start together, at least one sees the other.
  const others = (await attemptsIn(directory)).filter((other) => other !== attempt);
  const later = others.find((other) => other > attempt);
  if (later !== undefined) {
    await rm(staging, { recursive: true, force: true });
    throw fenced(jobId, attempt, later);
  }
  for (const other of others) await revoke(directory, other);
  return { directory, staging };
}

/** Deletes the workspace of a job that has ended. */
export async function removeWorkspace(dataDir: string, jobId: string): Promise<void> {
  await rm(workspaceDirectory(dataDir, jobId), { recursive: true, force: true, maxRetries: 3 });
}

/** The ids of the jobs that have a workspace. */
export async function workspaces(dataDir: string): Promise<string[]> {
  return readdir(join(dataDir, 'jobs')).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
}

/** Milliseconds since something was last created in the workspace. */
export async function workspaceAgeMs(dataDir: string, jobId: string): Promise<number> {
  return Date.now() - (await stat(workspaceDirectory(dataDir, jobId))).mtimeMs;
}

async function attemptsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => /^attempt-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
}

/** Renames before deleting, so that the older attempt can't put half of something in place meanwhile. */
async function revoke(directory: string, attempt: number): Promise<void> {
  const revoked = join(directory, `revoked-${randomUUID()}`);
  await rename(join(directory, `attempt-${attempt}`), revoked).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error; // it gave up by itself, or another attempt revoked it
  });
  await rm(revoked, { recursive: true, force: true, maxRetries: 3 });
}

function fenced(jobId: string, attempt: number, other: number): TrainyardError {
  const message = `expected attempt ${attempt} of job ${jobId} to be the newest, found attempt ${other}; this one ends`;
  return new TrainyardError('FENCED', message);
}

/** Directories that are gone when the test file that asked for them has ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const created: string[] = [];

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trainyard-test-'));
  created.push(path);
  return path;
}

/** Called after each test file. */
export async function removeTemporaryDirectories(): Promise<void> {
  await Promise.all(
    created.splice(0).map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })),
  );
}

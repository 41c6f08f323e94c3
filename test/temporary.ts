/** Directories that are gone when the test file that asked for them has ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const created: string[] = [];

afterAll(async () => {
  await Promise.all(created.map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })));
});

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trainyard-test-'));
  created.push(path);
  return path;
}

/** Runs before each test file. Files share processes and modules, so hooks that hold for all of them are registered here. */
import { afterAll, afterEach, vi } from 'vitest';
import { closeAll } from './closing.ts';
import { removeTemporaryDirectories } from './temporary.ts';

afterEach(closeAll);
afterAll(removeTemporaryDirectories);
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

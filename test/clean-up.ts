/** Runs before each test file. Files share processes and modules, so hooks that hold for all of them are registered here. */
import { afterAll, aroundEach, vi } from 'vitest';
import { closingAfter } from './closing.ts';
import { removeTemporaryDirectories } from './temporary.ts';

aroundEach(closingAfter);
afterAll(removeTemporaryDirectories);
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

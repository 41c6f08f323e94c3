import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the counts; what a person sees is the same with and without. */
const report = process.env['TEST_REPORT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks', // the TensorFlow binding loads once a process
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});

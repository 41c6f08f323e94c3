import { defineConfig } from 'vitest/config';

// The tests ask servers on this machine. With NODE_USE_ENV_PROXY=1, Node would send those requests to HTTP_PROXY.
process.env['NO_PROXY'] = process.env['no_proxy'] = 'localhost,127.0.0.1,[::1],::1';

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

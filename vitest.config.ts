import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks', // the TensorFlow binding loads once a process
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

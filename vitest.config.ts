import { defineConfig } from 'vitest/config';
import { isUpToDate } from './scripts/setup/build.mjs';
import { useCompiled } from './test/compiled.ts';
import { SlowestFiles } from './test/slowest.ts';
import { SlowestFirst } from './test/slowest-first.ts';

// The tests ask servers on this machine. With NODE_USE_ENV_PROXY=1, Node would send those requests to HTTP_PROXY.
process.env['NO_PROXY'] = process.env['no_proxy'] = 'localhost,127.0.0.1,[::1],::1';

// With their usual nice value, trainers would starve beside tests that compute.
process.env['TRAINER_NICENESS'] = '0';

// Files run side by side. With one thread, TensorFlow needs less processor time than with two, and no core waits.
process.env['TF_NUM_INTRAOP_THREADS'] ??= '1';

/** Where .ci/run wants the counts; what a person sees is the same with and without. */
const report = process.env['TEST_REPORT'];
/** Else, and while watching, the tests run the sources. */
const isCompiled = process.argv.includes('run') && isUpToDate(import.meta.dirname);

/** Each of these puts an engine's kernels into tfjs for good. All other files leave nothing behind, and share processes. */
const alone = ['test/model/engines/*.test.ts', 'test/model/training/{corrections,test-version}.test.ts'];

export default defineConfig({
  plugins: isCompiled ? [useCompiled()] : [],
  test: {
    pool: 'forks', // the TensorFlow binding loads once a process
    server: { deps: { external: [/\/dist\/.*\.m?js$/] } },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 240_000, interval: 200 } }, // each look at a page takes its time
    reporters: [
      'default',
      new SlowestFiles(),
      ...(report ? [['json', { outputFile: report }] as ['json', { outputFile: string }]] : []),
    ],
    setupFiles: ['test/clean-up.ts'],
    sequence: { sequencer: SlowestFirst },
    maxWorkers: 3, // files that wait beside two that compute
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});

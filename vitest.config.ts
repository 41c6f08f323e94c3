import { defineConfig } from 'vitest/config';
import { isUpToDate } from './scripts/setup/build.mjs';
import { useCompiled } from './test/compiled.ts';
import { SlowestFiles } from './test/slowest.ts';

// The tests ask servers on this machine. With NODE_USE_ENV_PROXY=1, Node would send those requests to HTTP_PROXY.
process.env['NO_PROXY'] = process.env['no_proxy'] = 'localhost,127.0.0.1,[::1],::1';

// With their usual nice value, trainers would starve beside tests that compute.
process.env['TRAINER_NICENESS'] = '0';

// Files run side by side. With one thread, TensorFlow needs a fifth less processor time than with two, and no core waits.
process.env['TF_NUM_INTRAOP_THREADS'] ??= '1';

/** Where .ci/run wants the counts; what a person sees is the same with and without. */
const report = process.env['TEST_REPORT'];
/** Else, and while watching, the tests run the sources. */
const isCompiled = process.argv.includes('run') && isUpToDate(import.meta.dirname);

/** These train, or start the whole service, which takes a core and more. */
const training = [
  'test/cli/service.test.ts',
  'test/client/service.test.ts',
  'test/e2e/{api-key,first-run,hangup,logs,odd-path,proxy,trouble}.test.ts',
  'test/faults/{disk-full,redis,training}.test.ts',
  'test/jobs/producer/*.test.ts',
  'test/jobs/redis/refusals.test.ts',
  'test/jobs/worker/{crash,run}.test.ts',
  'test/model/{engines,training}/**/*.test.ts',
  'test/page/page.test.ts',
  'test/routes/{events,metrics}.test.ts',
];

export default defineConfig({
  plugins: isCompiled ? [useCompiled()] : [],
  test: {
    pool: 'forks', // the TensorFlow binding loads once a process
    server: { deps: { external: [/\/dist\/.*\.m?js$/] } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: [
      'default',
      new SlowestFiles(),
      ...(report ? [['json', { outputFile: report }] as ['json', { outputFile: string }]] : []),
    ],
    projects: [
      {
        extends: true,
        test: {
          name: 'others',
          include: ['test/**/*.test.ts'],
          exclude: training,
          maxWorkers: 3, // most of them wait more than they compute
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'training', include: training, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});

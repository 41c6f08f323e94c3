/** A worker in a process of its own, on the queue and the data directory of one test. */
import { pino } from 'pino';
import { importCompiled } from '../compiled.mjs';

/** @type {typeof import('../../src/jobs/worker/worker.ts')} */
const { startWorker } = await importCompiled('jobs/worker/worker.js');
/** @type {typeof import('../../src/lifecycle.ts')} */
const { closeOnExit } = await importCompiled('lifecycle.js');

const [redisUrl = '', prefix = '', dataDir = '', timings = '{}'] = process.argv.slice(2);
const log = pino({ level: 'warn' });
const worker = await startWorker({
  redisUrl,
  prefix,
  dataDir,
  engine: 'auto',
  requireGpu: false,
  noGpu: null,
  device: 'a test',
  gitCommit: null,
  log,
  trainerNiceness: 0,
  timings: JSON.parse(timings),
});
closeOnExit(log, () => worker.close());

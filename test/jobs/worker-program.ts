/** A worker in a process of its own, on the queue and the data directory of one test. */
import { pino } from 'pino';
import type { WorkerTimings } from '../../src/jobs/worker/options.ts';
import { startWorker } from '../../src/jobs/worker/worker.ts';
import { closeOnExit } from '../../src/lifecycle.ts';

const [redisUrl, prefix, dataDir, timings] = process.argv.slice(2) as [string, string, string, string];
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
  timings: JSON.parse(timings) as Partial<WorkerTimings>,
});
closeOnExit(log, () => worker.close());

/** The program of a worker process: it uses the queue and the data directory of one test. */
import { pino } from 'pino';
import { startWorker } from '../../src/jobs/worker/worker.ts';
import { closeOnExit } from '../../src/lifecycle.ts';

const [redisUrl, prefix, dataDir] = process.argv.slice(2) as [string, string, string];
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
});
closeOnExit(log, () => worker.close());

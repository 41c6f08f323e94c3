/** The worker process: configuration → queue → jobs, one at a time. */
import { readWorkerConfig, requireRedisUrl } from './config.ts';
import { lookAtRedis } from './jobs/redis/check.ts';
import { openDataDir } from './lib/files.ts';
import { closeOnExit, runEntry } from './lifecycle.ts';
import { createLog } from './log.ts';
import {
  examineDevice,
  expectRightProduct,
  missedGpu,
  requireGpu,
  summarise,
} from './model/device/examine-device.ts';
import { takeOptions } from './options.mjs';

await runEntry(async () => {
  const config = readWorkerConfig(takeOptions('worker'));
  const redisUrl = requireRedisUrl(config);
  const log = createLog('worker', config);
  const { dataDir, engine, gitCommit, trainerNiceness } = config;
  await openDataDir(dataDir);
  const examining = examineDevice(engine); // takes longest, in a process of its own
  examining.catch(() => {}); // thrown below
  const { startWorker } = await import('./jobs/worker/worker.ts');
  await lookAtRedis(redisUrl); // waits for a Redis that is away
  const examined = await examining;
  expectRightProduct(examined);
  if (config.requireGpu) requireGpu(examined);
  const [device, noGpu] = [summarise(examined), missedGpu(examined, config.cpuWanted)];
  if (noGpu !== null) log.warn(noGpu);
  const gpu = { requireGpu: config.requireGpu, noGpu };
  const options = { redisUrl, dataDir, engine, ...gpu, device, gitCommit, trainerNiceness, log };
  const worker = await startWorker(options);
  closeOnExit(log, () => worker.close());
  process.send?.({ type: 'ready' }); // to the launcher
  log.info(`waiting for jobs, which train on ${device}`);
  await worker.unfit; // ends the process with the reason; a restart examines the device again
});

/** The API on its real parts and a worker, listening: what a client sees. */
import { pino } from 'pino';
import { startWorker } from '../../src/jobs/worker/worker.ts';
import { type Parts, startParts } from '../routes/parts.ts';

export type Service = { readonly url: string; readonly parts: Parts; close(): Promise<void> };

/** `predicts`: with a predictor process, by default. */
export async function startService({ predicts = true } = {}): Promise<Service> {
  const parts = await startParts({ predicts });
  const url = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  const worker = await startWorker({
    redisUrl: parts.redis.url,
    dataDir: parts.dataDir,
    engine: 'auto',
    requireGpu: false,
    noGpu: null,
    device: 'a test',
    gitCommit: 'abc',
    trainerNiceness: 0, // a busy machine would starve a nice one
    log: pino({ level: 'silent' }),
  });
  return {
    url,
    parts,
    close: async () => {
      await worker.close();
      await parts.close();
    },
  };
}

/** A run of ten steps an epoch. */
export const smallRun = { trainImages: 320, testImages: 100, batchSize: 32, seed: 7 } as const;

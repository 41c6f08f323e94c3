/** A job that trains on corrections, carried out by a worker and its trainer. */
import { describe, expect, it } from 'vitest';
import { Corrections } from '../../../src/model/corrections/corrections.ts';
import { correctionOf } from '../../model/corrections/made.ts';
import { trainersOf } from '../processes.ts';
import { startRedisServer } from '../redis-server.ts';
import { openYard, requestOf, shortTimings, smallEpochs, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

const timings = { ...shortTimings, stepPauseMs: 30 };

/** Freezes some corrections and queues a job that trains on them. */
async function queueOnCorrections(yard: Yard, corrections: Corrections) {
  for (let number = 0; number < 10; number++) await corrections.add(correctionOf(number));
  const sha256 = (await corrections.freeze('mnist', () => yard.queue.frozenSets()))!;
  const request = { ...requestOf({ ...smallEpochs, epochs: 3 }), corrections: sha256 };
  const result = await yard.queue.enqueue(request);
  if (result.outcome !== 'queued') throw new Error(`expected a queued job, got ${result.outcome}`);
  return { id: result.job.id, sha256, request };
}

async function weightsOf(yard: Yard, version: number): Promise<Float32Array> {
  return (await yard.store.load(version)).weights;
}

describe('a job that trains on corrections', () => {
  it('goes on after a crash with the same set, whatever was corrected since, and ends with the same bytes', async () => {
    const yard = await openYard(url);
    const corrections = new Corrections(yard.dataDir);
    const { id, sha256, request } = await queueOnCorrections(yard, corrections);
    await yard.startWorker({ timings });
    await yard.untilJob(id, 'to publish two epochs', ({ epochs }) => epochs.length >= 2);
    for (const { correction } of await corrections.list()) await corrections.remove(correction.id);
    await corrections.add(correctionOf(99));
    process.kill(trainersOf(process.pid)[0]!, 'SIGKILL');
    const job = await yard.untilEnded(id);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 2, error: null });
    expect(job.request.corrections).toBe(sha256);
    expect(await yard.store.evaluation(job.modelVersion!)).toMatchObject({
      corrections: { sha256, trained: 8, heldOut: 2 },
    });

    const again = await yard.queue.enqueue(request);
    const whole = await yard.untilEnded(again.outcome === 'queued' ? again.job.id : '');
    expect(whole).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await weightsOf(yard, whole.modelVersion!)).toEqual(await weightsOf(yard, job.modelVersion!));
  });

  it('names its set as in use until it has ended', async () => {
    const yard = await openYard(url);
    const { id, sha256 } = await queueOnCorrections(yard, new Corrections(yard.dataDir));
    await yard.enqueue();
    expect(await yard.queue.frozenSets()).toEqual(new Set([sha256]));
    await yard.startWorker({ timings, engine: 'wasm' }); // which is open sooner
    await yard.untilJob(id, 'to run', ({ status }) => status === 'running');
    expect(await yard.queue.frozenSets()).toEqual(new Set([sha256]));
    await yard.queue.cancel(id);
    await yard.untilEnded(id);
    expect(await yard.queue.frozenSets()).toEqual(new Set());
  });
});

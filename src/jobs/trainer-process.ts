/**
 * The trainer: a process that trains one job, publishes its checkpoints and ends. It ends as well
 * when its worker is gone, so that nothing computes for nobody.
 */
import { datasetChecksums, readDataset } from '../model/dataset.ts';
import { type Engine, openEngine } from '../model/engine.ts';
import { messageOf, TrainyardError } from '../model/errors.ts';
import type { Provenance } from '../model/manifest.ts';
import { networks } from '../model/network.ts';
import { openStore } from '../model/store.ts';
import { type EpochMetrics, type TrainOutcome, train } from '../model/train.ts';
import type { TrainerMessage, TrainerOrder } from './trainer.ts';

const cancel = new AbortController();
process.on('SIGTERM', () => cancel.abort());
process.on('disconnect', () => process.exit(1));
process.once('message', (order: TrainerOrder) => void carryOut(order));

async function carryOut(order: TrainerOrder): Promise<void> {
  try {
    await tell({ type: 'outcome', outcome: await trainAndPublish(order) });
  } catch (error) {
    const code = error instanceof TrainyardError ? error.code : 'TRAINER_FAULT';
    await tell({ type: 'fault', code, message: messageOf(error) });
  }
}

async function trainAndPublish(order: TrainerOrder): Promise<TrainOutcome> {
  let fallback: string | null = null;
  const engine = await openEngine(order.engine, (reason) => {
    fallback = reason;
  });
  await tell({ type: 'engine', engine, fallback });
  const dataset = await readDataset(order.request.dataset);
  const store = openStore(order.dataDir);
  const hooks = {
    onProgress: (progress: Parameters<Parameters<typeof train>[2]['onProgress']>[0]) => {
      void tell({ type: 'progress', progress });
    },
    onEpoch: async (metrics: EpochMetrics, weights: Float32Array) => {
      const provenance = provenanceOf(order, engine, metrics);
      const { version } = await store.publish(networks[order.request.network], weights, provenance);
      await tell({ type: 'epoch', epoch: { ...metrics, modelVersion: version } });
    },
  };
  return train(order.request, dataset, hooks, cancel.signal);
}

function provenanceOf(order: TrainerOrder, engine: Engine, metrics: EpochMetrics): Provenance {
  const { request, jobId, gitCommit } = order;
  const { trainLoss, testLoss, testAccuracy } = metrics;
  return {
    jobId,
    epoch: metrics.epoch,
    epochs: request.epochs,
    recipe: request.recipe,
    seed: request.seed,
    request,
    dataset: { name: request.dataset, sha256: datasetChecksums(request.dataset) },
    engine,
    gitCommit,
    metrics: { trainLoss, testLoss, testAccuracy },
  };
}

function tell(message: TrainerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

/**
 * The trainer: a process that trains one job, publishes its checkpoints and ends. It ends as well
 * when its worker is gone, so that nothing computes for nobody.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import { datasetChecksums, readDataset } from '../../model/data/dataset.ts';
import type { Engine } from '../../model/engines/engine.ts';
import { openEngine, tensorCount } from '../../model/engines/open-engine.ts';
import { networks } from '../../model/network/network.ts';
import type { Provenance } from '../../model/store/manifest.ts';
import { openStore } from '../../model/store/store.ts';
import type { Evaluation } from '../../model/training/evaluation.ts';
import {
  type FoundResumePoint,
  findResumePoint,
  type PublishedEpoch,
  removeUnusable,
  saveResumePoint,
} from '../../model/training/resume-point.ts';
import {
  type EpochMetrics,
  type RunPosition,
  type TrainHooks,
  type TrainOutcome,
  train,
} from '../../model/training/train.ts';
import { claimWorkspace, type Workspace } from '../../model/training/workspace.ts';
import type { TrainerMessage, TrainerOrder } from './trainer-supervisor.ts';

const retryStorageMs = 1000;

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.on('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1); // the parent ended while this process was loading
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
  const workspace = await untilStored(() => claimWorkspace(order.dataDir, order.jobId, order.attempt));
  const opened = await openEngine(order.engine);
  const engine = { ...opened, fallback: opened.fallback ?? (opened.gpu ? null : order.noGpu) };
  await tell({ type: 'engine', engine });
  if (order.requireGpu && !engine.gpu) throw gpuIsGone(engine);
  const found = await findResumePoint(workspace.directory, order.request);
  await tellResumed(found, engine);
  await removeUnusable(workspace.directory, found);
  const { point } = found;
  const dataset = await readDataset(order.request.dataset);
  const hooks = createHooks(order, workspace, engine, point?.published ?? []);
  return train(order.request, dataset, hooks, stop.signal, point?.position);
}

/** The worker had found one at its start. */
function gpuIsGone({ device }: Engine): TrainyardError {
  const message = `expected a GPU, since REQUIRE_GPU=true, found ${device}; "npm run doctor" says why`;
  return new TrainyardError('GPU_REQUIRED', message);
}

async function tellResumed({ point, unusable }: FoundResumePoint, engine: Engine): Promise<void> {
  const warnings = unusable.map(({ name, reason }) => `resume point ${name} not used: ${reason}`);
  if (point && point.device !== engine.device) {
    warnings.push(
      `resumed on ${engine.device} what began on ${point.device}: other bytes than without a break`,
    );
  }
  const from = point && { step: point.position.step, published: point.published };
  await tell({ type: 'resumed', from, warnings });
}

function createHooks(
  order: TrainerOrder,
  workspace: Workspace,
  engine: Engine,
  before: readonly PublishedEpoch[],
): TrainHooks {
  const published = [...before];
  return {
    onProgress: (progress) => {
      void tell({ type: 'progress', progress });
    },
    onEpoch: async (metrics, weights, evaluation) => {
      const version = { provenance: provenanceOf(order, engine, metrics), weights, evaluation };
      const modelVersion = await untilStored(() => publish(order, workspace, version));
      const epoch = { ...metrics, modelVersion };
      published.push(epoch);
      await tell({ type: 'epoch', epoch });
    },
    onPosition: (position) => saveOrWarn(order, workspace, engine, published, position),
  };
}

type Version = {
  readonly provenance: Provenance;
  readonly weights: Float32Array;
  readonly evaluation: Evaluation;
};

/** The version under which an epoch is published; one that an earlier attempt has published is that one. */
async function publish(
  order: TrainerOrder,
  { staging: stagingRoot }: Workspace,
  { provenance, weights, evaluation }: Version,
): Promise<number> {
  const store = openStore(order.dataDir);
  const earlier = await store.findCheckpoint(order.jobId, provenance.epoch);
  if (earlier) return earlier.version;
  const network = networks[order.request.network];
  const published = await store.publish(network, weights, provenance, { evaluation, stagingRoot });
  return published.version;
}

function provenanceOf(order: TrainerOrder, { name, device, gpu }: Engine, metrics: EpochMetrics): Provenance {
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
    engine: { name, device, gpu },
    gitCommit,
    metrics: { trainLoss, testLoss, testAccuracy },
  };
}

/** A resume point that can't be written costs time after a crash, and nothing else. */
async function saveOrWarn(
  { request: plan, crashes }: TrainerOrder,
  workspace: Workspace,
  { device }: Engine,
  published: readonly PublishedEpoch[],
  position: RunPosition,
): Promise<void> {
  try {
    await saveResumePoint(workspace, { plan, device, crashes, published, position });
    await tell({ type: 'saved', step: position.step, tensors: tensorCount() });
  } catch (error) {
    if (isCode(error, 'FENCED')) throw error;
    await tell({ type: 'warning', message: `no resume point at step ${position.step}: ${messageOf(error)}` });
  }
}

/** Repeats what fails for want of room on the disk until it works; what was trained waits in memory. */
async function untilStored<T>(work: () => Promise<T>): Promise<T> {
  for (let waiting = false; ; waiting = true) {
    try {
      const result = await work();
      if (waiting) await tell({ type: 'trouble', trouble: null });
      return result;
    } catch (error) {
      if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
      const message = `expected room for a checkpoint in DATA_DIR, got: ${messageOf(error)}; free some, the job waits`;
      if (!waiting) await tell({ type: 'trouble', trouble: { code: 'DISK_FULL', message } });
      await delay(retryStorageMs, undefined, { signal: stop.signal });
    }
  }
}

function tell(message: TrainerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

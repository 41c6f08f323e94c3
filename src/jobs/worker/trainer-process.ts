/**
 * The trainer process: trains one job, publishes its checkpoints and ends. It also ends when its worker is gone,
 * so that it does not compute for nobody.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fencedOff, messageOf, TrainyardError } from '../../lib/errors.ts';
import { exists, isCode } from '../../lib/files.ts';
import { retry } from '../../lib/retry.ts';
import { readSet } from '../../model/corrections/correction-set.ts';
import { type Dataset, firstOf } from '../../model/data/dataset.ts';
import { openDatasetLibrary } from '../../model/data/load-dataset.ts';
import type { Engine } from '../../model/engines/engine.ts';
import { liveTensors, openEngine } from '../../model/engines/open-engine.ts';
import { foldedNetwork } from '../../model/network/fold-batch-norm.ts';
import { buildNetwork } from '../../model/network/network.ts';
import { passGate } from '../../model/registry/gate.ts';
import { type Promotion, promotionOf } from '../../model/registry/promotion.ts';
import { openRegistry, type Registry } from '../../model/registry/registry.ts';
import { testedOf } from '../../model/registry/tested.ts';
import type { Tested } from '../../model/registry/transitions.ts';
import { type Provenance, readingOf } from '../../model/store/manifest.ts';
import { type ModelStore, openStore } from '../../model/store/store.ts';
import type { Correctness } from '../../model/training/correctness.ts';
import {
  type FoundResumePoint,
  findResumePoint,
  type PublishedEpoch,
  removeUnusable,
  saveResumePoint,
} from '../../model/training/resume-point.ts';
import { testVersion } from '../../model/training/test-version.ts';
import { train } from '../../model/training/train.ts';
import type {
  EpochMetrics,
  RunPosition,
  TestResults,
  TrainHooks,
  TrainOutcome,
} from '../../model/training/training-run.ts';
import { claimWorkspace, type Workspace } from '../../model/training/workspace.ts';
import { planOf } from '../contract.ts';
import type { TrainerMessage, TrainerOrder } from './trainer-supervisor.ts';

/** One attempt at a job, and what it writes to. */
type Attempt = {
  readonly order: TrainerOrder;
  readonly workspace: Workspace;
  readonly engine: Engine;
  readonly store: ModelStore;
  readonly registry: Registry;
  readonly dataset: Dataset;
};

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.on('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1); // the parent ended while this process was loading
process.once('message', (order: TrainerOrder) => void carryOut(order));

async function carryOut(order: TrainerOrder): Promise<void> {
  try {
    await send({ type: 'outcome', outcome: await trainAndPublish(order) });
  } catch (error) {
    const code = error instanceof TrainyardError ? error.code : 'TRAINER_FAULT';
    await send({ type: 'fault', code, message: messageOf(error) });
  }
}

async function trainAndPublish(order: TrainerOrder): Promise<TrainOutcome> {
  const { dataDir, jobId, attempt, request, intervals } = order;
  const workspace = await untilStored(order, () => claimWorkspace(dataDir, jobId, attempt));
  const opened = await openEngine(order.engine);
  const engine = { ...opened, fallback: opened.fallback ?? (opened.gpu ? null : order.noGpu) };
  await send({ type: 'engine', engine });
  if (order.requireGpu && !engine.gpu) throw gpuIsGone(engine);
  const plan = planOf(request);
  const found = await findResumePoint(workspace.directory, plan);
  await sendResumed(found, engine);
  await removeUnusable(workspace.directory, found);
  const { point } = found;
  const dataset = await openDatasetLibrary(dataDir).load(request.dataset);
  const [store, registry] = [openStore(dataDir), openRegistry(dataDir)];
  const hooks = createHooks({ order, workspace, engine, store, registry, dataset }, point?.published ?? []);
  const from = point?.position ?? null;
  const corrections =
    plan.corrections === false ? null : await readSet(dataDir, plan.corrections, dataset.labels);
  return train(plan, dataset, hooks, { ...intervals, signal: stop.signal, from, corrections });
}

/** The worker found a GPU when it started. */
function gpuIsGone({ device }: Engine): TrainyardError {
  const message = `expected a GPU, since REQUIRE_GPU=true, found ${device}; "npm run doctor" says why`;
  return new TrainyardError('GPU_REQUIRED', message);
}

async function sendResumed({ point, unusable }: FoundResumePoint, engine: Engine): Promise<void> {
  const warnings = unusable.map(({ name, reason }) => `resume point ${name} not used: ${reason}`);
  if (point && point.device !== engine.device) {
    warnings.push(
      `resumed on ${engine.device} what began on ${point.device}: other bytes than without a break`,
    );
  }
  const from = point && { step: point.position.step, published: point.published };
  await send({ type: 'resumed', from, warnings });
}

function createHooks(attempt: Attempt, before: readonly PublishedEpoch[]): TrainHooks {
  const published = [...before];
  return {
    onProgress: (progress) => void send({ type: 'progress', progress }),
    onLoss: (progress) => void send({ type: 'loss', progress }),
    onEpoch: async (metrics, weights, tested) => {
      const modelVersion = await untilStored(attempt.order, async () => {
        return (await findPublished(attempt, metrics.epoch)) ?? publish(attempt, metrics, weights, tested);
      });
      const promotion = await untilStored(attempt.order, () =>
        decide(attempt, modelVersion, { ...tested, epoch: metrics.epoch }),
      );
      const epoch = { ...metrics, modelVersion, promotion };
      published.push(epoch);
      await send({ type: 'epoch', epoch });
    },
    onPosition: (position) => saveOrWarn(attempt, published, position),
  };
}

/** The version under which an earlier attempt has published this epoch; null when there is none. */
async function findPublished({ order, store }: Attempt, epoch: number): Promise<number | null> {
  if (order.attempt === 1) return null;
  return (await store.findCheckpoint(order.jobId, epoch))?.version ?? null;
}

async function publish(
  { order, workspace, engine, store, dataset }: Attempt,
  metrics: EpochMetrics,
  weights: Float32Array,
  tested: TestResults,
): Promise<number> {
  const { evaluation, correctness } = tested;
  const provenance = provenanceOf(order, engine, dataset, metrics, tested);
  const options = { evaluation, correctness, stagingRoot: workspace.staging };
  const network = foldedNetwork(buildNetwork(order.request.network, dataset.labels.length));
  const { version } = await store.publish(network, weights, provenance, options);
  return version;
}

/** Asks the gate whether a published version becomes champion. */
async function decide(
  { order, workspace, store, registry, dataset }: Attempt,
  version: number,
  { correctness, epoch }: TestResults & { readonly epoch: number },
): Promise<Promotion> {
  const { jobId, request } = order;
  const { model, promote: policy } = request;
  const { testSet } = dataset;
  const isLast = epoch === request.epochs;
  const { labels } = dataset;
  const candidate = { model, version, testSet, labels, correctness, policy, isLast, by: `job ${jobId}` };
  const retries = { tries: 5, pauseMs: order.diskRetryMs, signal: stop.signal };
  const correctnessOf = (other: number, images: number): Promise<Correctness | null> =>
    retry(() => testVersion(store, other, firstOf(dataset.test, images)), {
      codes: ['MODEL_UNREADABLE'],
      ...retries,
    });
  const expectOwn = async () => {
    if (!(await exists(workspace.staging))) throw fencedOff(null);
  };
  const testedOfVersion = async (other: number): Promise<Tested | null> => {
    const manifest = await store.manifest(other).catch(() => null);
    return manifest && testedOf(manifest);
  };
  const labelsOf = async (other: number) => {
    const manifest = await store.manifest(other).catch(() => null);
    return manifest && readingOf(manifest).labels;
  };
  const ports = { registry, correctnessOf, testedOf: testedOfVersion, labelsOf };
  const decision = await retry(() => passGate(candidate, ports, expectOwn), {
    codes: ['DECISION_UNREADABLE'],
    ...retries,
  });
  return promotionOf(decision, version);
}

function provenanceOf(
  order: TrainerOrder,
  { name, device, gpu }: Engine,
  { labels, form, testSet, checksums }: Dataset,
  metrics: EpochMetrics,
  { correctness, calibration }: TestResults,
): Provenance {
  const { request, jobId, gitCommit } = order;
  const { trainLoss, testLoss, testAccuracy } = metrics;
  return {
    model: request.model,
    jobId,
    epoch: metrics.epoch,
    epochs: request.epochs,
    recipe: request.recipe,
    seed: request.seed,
    request,
    dataset: { name: request.dataset, sha256: { ...checksums } },
    labels: [...labels],
    form,
    test: { set: testSet, images: correctness.images },
    engine: { name, device, gpu },
    gitCommit,
    metrics: { trainLoss, testLoss, testAccuracy },
    ...(calibration && { calibration }),
  };
}

/** A resume point that can't be written costs no more than time after a crash. */
async function saveOrWarn(
  { order, workspace, engine: { device } }: Attempt,
  published: readonly PublishedEpoch[],
  position: RunPosition,
): Promise<void> {
  const { crashes } = order;
  const plan = planOf(order.request);
  try {
    await saveResumePoint(workspace, { plan, device, crashes, published, position });
    await send({ type: 'saved', step: position.step, tensors: liveTensors() });
  } catch (error) {
    if (isCode(error, 'FENCED')) throw error;
    await send({ type: 'warning', message: `no resume point at step ${position.step}: ${messageOf(error)}` });
  }
}

/** Repeats work that fails because the disk is full, or can't be written, until it succeeds; what was trained stays in memory. */
async function untilStored<T>({ diskRetryMs }: TrainerOrder, work: () => Promise<T>): Promise<T> {
  for (let isWaiting = false; ; isWaiting = true) {
    try {
      const result = await work();
      if (isWaiting) await send({ type: 'trouble', trouble: null });
      return result;
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === null) throw error;
      if (!isWaiting) await send({ type: 'trouble', trouble });
      await delay(diskRetryMs, undefined, { signal: stop.signal });
    }
  }
}

/** What the job waits for until somebody has mended it; null for errors that no waiting mends. */
function troubleOf(error: unknown): { code: string; message: string } | null {
  const what = messageOf(error);
  if (isCode(error, 'REGISTRY_NOT_WRITABLE'))
    return { code: 'REGISTRY_NOT_WRITABLE', message: `${what}, the job waits` };
  if (!isCode(error, 'ENOSPC', 'EDQUOT')) return null;
  const message = `expected room for a checkpoint in DATA_DIR, got: ${what}; free some, the job waits`;
  return { code: 'DISK_FULL', message };
}

function send(message: TrainerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

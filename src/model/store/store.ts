/**
 * The model store: DATA_DIR/models/VERSION/{model.json, weights.bin, evaluation.json, manifest.json}. A version
 * appears and disappears in one rename, so readers never see half of one, and they check every file against its
 * checksum. Any number of processes can use one directory at once, without locks.
 */
import { join } from 'node:path';
import { isCode } from '../../lib/files.ts';
import type { Network } from '../network/network.ts';
import type { Correctness } from '../training/correctness.ts';
import type { Evaluation } from '../training/evaluation.ts';
import type { Manifest, Provenance } from './manifest.ts';
import { type PublishOptions, publish } from './publish.ts';
import { listQuarantined, type Quarantined, quarantine } from './quarantine.ts';
import {
  loadModel,
  readCorrectness,
  readEvaluation,
  readManifest,
  type StoredModel,
} from './read-version.ts';
import { type Accuracies, retain } from './retention.ts';
import { listVersions } from './version-numbers.ts';

export type { Quarantined } from './quarantine.ts';
export type { StoredModel } from './read-version.ts';

/** What the rest of Trainyard needs of a store. A bucket can implement it as well as a directory. */
export type ModelStore = {
  /**
   * Publishes a checkpoint as the next version and returns it.
   *
   * @throws TrainyardError `FENCED` when `stagingRoot` is gone
   */
  publish(
    network: Network,
    weights: Float32Array,
    provenance: Provenance,
    options?: PublishOptions,
  ): Promise<Manifest>;
  /** All versions, newest first. Cheap: no file is read. */
  versions(): Promise<number[]>;
  /** Null for a version that does not exist. @throws TrainyardError as `load` does */
  manifest(version: number): Promise<Manifest | null>;
  /**
   * Manifest and weights, checked.
   *
   * @throws TrainyardError `MODEL_DAMAGED`, `MODEL_UNSUPPORTED` (another program's form),
   *   `MODEL_UNREADABLE` (the system's error, which may pass), `MODEL_NOT_FOUND`
   */
  load(version: number): Promise<StoredModel>;
  /**
   * What the version gets wrong on the test images, checked; null if it was published without. A model is served
   * even if its evaluation can't be read.
   *
   * @throws TrainyardError as `load` does
   */
  evaluation(version: number): Promise<Evaluation | null>;
  /** Which test images the version reads right, checked; null if it was published without. @throws as `load` does */
  correctness(version: number): Promise<Correctness | null>;
  /** The newest version that a job published for an epoch; null when there is none that can be read. */
  findCheckpoint(jobId: string, epoch: number): Promise<Manifest | null>;
  /** Moves a damaged version out of `versions()`, with the reason. */
  quarantine(version: number, reason: string): Promise<void>;
  /** The newest `limit` (all, unless given) of the versions in quarantine, newest first. */
  quarantined(limit?: number): Promise<Quarantined[]>;
  /**
   * Applies the retention rule: deletes all versions except the newest `keep` of each model, its best by test accuracy,
   * and `spared`; returns the deleted ones, newest first.
   */
  retain(keep: number, spared: ReadonlySet<number>): Promise<number[]>;
};

export function openStore(dataDir: string): ModelStore {
  const root = join(dataDir, 'models');
  const accuracies: Accuracies = new Map();
  return {
    publish: (network, weights, provenance, options) => publish(root, network, weights, provenance, options),
    versions: () => listVersions(root),
    manifest: (version) => readManifest(root, version).catch(nullIfMissing),
    load: (version) => loadModel(root, version),
    evaluation: (version) => readEvaluation(root, version),
    correctness: (version) => readCorrectness(root, version),
    findCheckpoint: (jobId, epoch) => findCheckpoint(root, jobId, epoch),
    quarantine: (version, reason) => quarantine(root, version, reason),
    quarantined: (limit = Number.POSITIVE_INFINITY) => listQuarantined(root, limit),
    retain: (keep, spared) => retain(root, keep, spared, accuracies),
  };
}

function nullIfMissing(error: unknown): null {
  if (isCode(error, 'MODEL_NOT_FOUND')) return null;
  throw error;
}

async function findCheckpoint(root: string, jobId: string, epoch: number): Promise<Manifest | null> {
  for (const version of await listVersions(root)) {
    const manifest = await readManifest(root, version).catch(() => null);
    if (manifest?.jobId === jobId && manifest.epoch === epoch) return manifest;
  }
  return null;
}

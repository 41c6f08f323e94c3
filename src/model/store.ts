/**
 * The model store: DATA_DIR/models/VERSION/{model.json, weights.bin, manifest.json}. A version
 * appears under its final name only when whole; a reader believes nothing but the checksums.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointFiles, decodeWeights, encodeCheckpoint } from './checkpoint.ts';
import { messageOf, TrainyardError } from './errors.ts';
import { isCode, syncDirectory, writeDurably } from './files.ts';
import { type Manifest, manifestSchema, type Provenance } from './manifest.ts';
import { type Network, parameterCount } from './network.ts';

export type StoredModel = { readonly manifest: Manifest; readonly weights: Float32Array };

/** What the rest of Trainyard needs of a store; a bucket can take the directory's place behind it. */
export type ModelStore = {
  /** Publishes a checkpoint as the next version and returns it. */
  publish(
    network: Network,
    weights: Float32Array,
    provenance: Provenance,
    stagingRoot?: string,
  ): Promise<Manifest>;
  findCheckpoint(jobId: string, epoch: number): Promise<Manifest | null>;
  /** All versions, newest first. */
  versions(): Promise<number[]>;
  /** Null for a version that does not exist. @throws TrainyardError `MODEL_DAMAGED` */
  manifest(version: number): Promise<Manifest | null>;
  /** Manifest and weights, checked. @throws TrainyardError `MODEL_DAMAGED` */
  load(version: number): Promise<StoredModel>;
};

const staleAfterMs = 60 * 60 * 1000; // a half-written version this old has lost its writer
const stagingPrefix = '.staging-';

export function openStore(dataDir: string): ModelStore {
  const root = join(dataDir, 'models');
  return {
    publish: (network, weights, provenance, stagingRoot = root) =>
      publish(root, network, weights, provenance, stagingRoot),
    findCheckpoint: async (jobId, epoch) => {
      for (const version of await listVersions(root)) {
        const manifest = await readManifest(join(root, String(version))).catch(() => null);
        if (manifest?.jobId === jobId && manifest.epoch === epoch) return manifest;
      }
      return null;
    },
    versions: () => listVersions(root),
    manifest: (version) => readManifest(join(root, String(version))),
    load: (version) => loadModel(join(root, String(version))),
  };
}

async function publish(
  root: string,
  network: Network,
  weights: Float32Array,
  provenance: Provenance,
  stagingRoot: string,
): Promise<Manifest> {
  await mkdir(root, { recursive: true });
  await removeStale(root);
  const staging = join(stagingRoot, `${stagingPrefix}${randomUUID()}`);
  await mkdir(staging);
  try {
    const files = encodeCheckpoint(network, weights);
    await Promise.all(Object.entries(files).map(([name, bytes]) => writeDurably(join(staging, name), bytes)));
    const manifest = await claimVersion(root, staging, describe(network, files, provenance));
    await syncDirectory(root);
    return manifest;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Renames `staging` to the next free version; when another writer took that one, to the one after. */
async function claimVersion(
  root: string,
  staging: string,
  description: Omit<Manifest, 'version'>,
): Promise<Manifest> {
  for (;;) {
    const [newest = 0] = await listVersions(root);
    const manifest = { ...description, version: newest + 1 };
    await writeDurably(join(staging, 'manifest.json'), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    await syncDirectory(staging);
    try {
      await rename(staging, join(root, String(manifest.version)));
      return manifest;
    } catch (error) {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

function describe(
  network: Network,
  files: CheckpointFiles,
  provenance: Provenance,
): Omit<Manifest, 'version'> {
  return {
    format: 1,
    ...provenance,
    createdAt: new Date().toISOString(),
    network: { name: network.name, layers: network.layers.map((layer) => ({ ...layer })) },
    parameters: parameterCount(network),
    input: 'float32 [N, 28, 28, 1]: grey 0 … 1, white ink on black, the digit centred by mass as in MNIST',
    files: { 'model.json': checksum(files['model.json']), 'weights.bin': checksum(files['weights.bin']) },
  };
}

async function listVersions(root: string): Promise<number[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names
    .filter((name) => /^[1-9][0-9]*$/.test(name))
    .map(Number)
    .toSorted((a, b) => b - a);
}

async function readManifest(directory: string): Promise<Manifest | null> {
  const text = await readFile(join(directory, 'manifest.json'), 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(directory, `manifest.json does not have the expected form: ${messageOf(error)}`);
  }
}

async function loadModel(directory: string): Promise<StoredModel> {
  const manifest = await readManifest(directory);
  if (!manifest) throw damaged(directory, 'expected a manifest.json, found none');
  const [, weights] = await Promise.all([
    readChecked(directory, 'model.json', manifest),
    readChecked(directory, 'weights.bin', manifest),
  ]);
  return { manifest, weights: decodeWeights(manifest.network, weights) };
}

async function readChecked(
  directory: string,
  name: keyof Manifest['files'],
  manifest: Manifest,
): Promise<Uint8Array> {
  const bytes = await readFile(join(directory, name)).catch((error: unknown) => {
    throw damaged(directory, messageOf(error));
  });
  const expected = manifest.files[name].sha256;
  const { sha256 } = checksum(bytes);
  if (sha256 !== expected) throw damaged(directory, `${name}: expected SHA-256 ${expected}, got ${sha256}`);
  return bytes;
}

function damaged(directory: string, reason: string): TrainyardError {
  return new TrainyardError('MODEL_DAMAGED', `${directory}: ${reason}; move it away, or train again`);
}

function checksum(bytes: Uint8Array): { sha256: string; bytes: number } {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength };
}

async function removeStale(root: string): Promise<void> {
  const staged = (await readdir(root)).filter((name) => name.startsWith(stagingPrefix));
  for (const name of staged) {
    const path = join(root, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > staleAfterMs) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Reads a version and checks it against its checksums. An error has one of four codes, each with its own remedy:
 * `MODEL_DAMAGED` (the bytes are not what was published: quarantine it), `MODEL_UNSUPPORTED` (undamaged, but written
 * by another program: leave it), `MODEL_UNREADABLE` (the system could not read it: try again), `MODEL_NOT_FOUND`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { exists, isCode } from '../../lib/files.ts';
import { sha256Of } from '../../lib/sha256.ts';
import { type Correctness, decodeCorrectness } from '../training/correctness.ts';
import { type Evaluation, evaluationSchema } from '../training/evaluation.ts';
import { decodeWeights } from './checkpoint.ts';
import { type Manifest, openManifest } from './manifest.ts';

export type StoredModel = { readonly manifest: Manifest; readonly weights: Float32Array };

/** @throws TrainyardError with one of the four codes */
export async function readManifest(root: string, version: number): Promise<Manifest> {
  const opened = openManifest(await readWhole(root, version, 'manifest.json'));
  if (!opened.ok) {
    const code = opened.problem === 'damaged' ? 'MODEL_DAMAGED' : 'MODEL_UNSUPPORTED';
    throw new TrainyardError(code, `manifest.json of model ${version}: ${opened.reason}`);
  }
  if (opened.manifest.version !== version) {
    throw damaged(version, 'manifest.json', `expected this version, got ${opened.manifest.version}`);
  }
  return opened.manifest;
}

/** Reads manifest and weights; checks every file. @throws TrainyardError with one of the four codes */
export async function loadModel(root: string, version: number): Promise<StoredModel> {
  const manifest = await readManifest(root, version);
  const [, weights] = await Promise.all([
    readChecked(root, 'model.json', manifest),
    readChecked(root, 'weights.bin', manifest),
  ]);
  return { manifest, weights: decodeWeights(manifest.network, weights) };
}

/** Reads the evaluation; null for a version without one. @throws TrainyardError with one of the four codes */
export async function readEvaluation(root: string, version: number): Promise<Evaluation | null> {
  const manifest = await readManifest(root, version);
  if (!manifest.files['evaluation.json']) return null;
  const bytes = await readChecked(root, 'evaluation.json', manifest);
  const parsed = evaluationSchema.safeParse(JSON.parse(Buffer.from(bytes).toString()));
  if (parsed.success) return parsed.data;
  const message = `evaluation.json of model ${version}: expected a form that this program knows, got another`;
  throw new TrainyardError('MODEL_UNSUPPORTED', message);
}

/** Reads which test images it gets right; null for a version without. @throws TrainyardError with one of the four codes */
export async function readCorrectness(root: string, version: number): Promise<Correctness | null> {
  const manifest = await readManifest(root, version);
  if (!manifest.files['correct.bits'] || !manifest.test) return null;
  return decodeCorrectness(manifest.test.images, await readChecked(root, 'correct.bits', manifest));
}

async function readChecked(
  root: string,
  name: keyof Manifest['files'],
  { version, files }: Manifest,
): Promise<Uint8Array> {
  const bytes = await readWhole(root, version, name);
  const expected = files[name]?.sha256;
  const sha256 = sha256Of(bytes);
  if (sha256 !== expected) throw damaged(version, name, `expected SHA-256 ${expected}, got ${sha256}`);
  return bytes;
}

async function readWhole(root: string, version: number, name: string): Promise<Uint8Array> {
  const directory = join(root, String(version));
  try {
    return await readFile(join(directory, name));
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP')) {
      // If the directory is gone too, the version was removed between two reads; otherwise it is damaged.
      if (await exists(directory)) throw damaged(version, name, 'expected a file, found none');
      throw new TrainyardError(
        'MODEL_NOT_FOUND',
        `expected model ${version}, found none; it may have been deleted`,
      );
    }
    const message = `${name} of model ${version}: expected to read it, got: ${messageOf(error)}`;
    throw new TrainyardError('MODEL_UNREADABLE', message, { cause: error });
  }
}

function damaged(version: number, name: string, reason: string): TrainyardError {
  return new TrainyardError('MODEL_DAMAGED', `${name} of model ${version}: ${reason}`);
}

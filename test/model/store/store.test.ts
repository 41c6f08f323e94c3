import { mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../../../src/lib/sha256.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import type { Evaluation } from '../../../src/model/training/evaluation.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { provenance } from './provenance.ts';
import { damage, evaluation, fileNames } from './versions.ts';

const network = buildNetwork('article', 10);
const weights = initialWeights(network, 1);
let dataDir: string;
let store: ModelStore;

beforeEach(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
});

const pathOf = (...parts: string[]) => join(dataDir, 'models', ...parts);

describe('publish', () => {
  it('gives back the same weights and where they came from', async () => {
    const manifest = await store.publish(network, weights, provenance);
    const stored = await store.load(manifest.version);
    expect(stored.weights).toEqual(weights);
    expect(stored.manifest).toEqual(manifest);
    expect(manifest).toMatchObject({ ...provenance, version: 1, parameters: 121_514 });
  });

  it('writes just the files that the layout names', async () => {
    await store.publish(network, weights, provenance, { evaluation });
    expect((await readdir(pathOf())).toSorted()).toEqual(['.numbers', '1']);
    expect((await readdir(pathOf('1'))).toSorted()).toEqual(fileNames.toSorted());
  });

  it('counts upward, newest first, also when a middle version was deleted', async () => {
    for (let i = 0; i < 3; i++) await store.publish(network, weights, provenance);
    await rm(pathOf('2'), { recursive: true });
    await store.publish(network, weights, provenance);
    expect(await store.versions()).toEqual([4, 3, 1]);
  });

  it('gives every one of many writers at once a version of its own', async () => {
    const writers = Array.from({ length: 12 }, () =>
      openStore(dataDir).publish(network, weights, provenance),
    );
    const versions = (await Promise.all(writers)).map(({ version }) => version);
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    for (const version of versions) expect((await store.load(version)).manifest.version).toBe(version);
  });

  it('clears away what a writer left behind an hour ago, and nothing younger', async () => {
    await mkdir(pathOf('.staging-old'), { recursive: true });
    await mkdir(pathOf('.staging-young'));
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(pathOf('.staging-old'), longAgo, longAgo);
    await store.publish(network, weights, provenance);
    expect((await readdir(pathOf())).toSorted()).toEqual(['.numbers', '.staging-young', '1']);
  });
});

describe('publish from a staging directory of its own', () => {
  const stagingRoot = () => join(dataDir, 'attempt-1');
  const publish = () => store.publish(network, weights, provenance, { stagingRoot: stagingRoot() });

  it('leaves nothing in it', async () => {
    await mkdir(stagingRoot());
    expect(await publish()).toMatchObject({ version: 1 });
    expect(await readdir(stagingRoot())).toEqual([]);
    expect((await store.load(1)).weights).toEqual(weights);
  });

  it('is fenced off when that was never there, and does not make it', async () => {
    await expect(publish()).rejects.toMatchObject({ code: 'FENCED' });
    expect(await store.versions()).toEqual([]);
    expect((await readdir(dataDir)).toSorted()).toEqual(['models']);
  });

  it('is fenced off, and publishes nothing, whenever that is moved away before the end', async () => {
    const codes = new Set<string>();
    for (let turns = 0; !codes.has('published'); turns += 5) {
      await mkdir(stagingRoot());
      const before = (await store.versions()).length;
      const outcome = publish().then(
        () => 'published',
        (error: { code: string }) => error.code,
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await rename(stagingRoot(), join(dataDir, `gone-${turns}`));
      const code = await outcome;
      codes.add(code);
      expect(await store.versions()).toHaveLength(code === 'published' ? before + 1 : before);
    }
    expect([...codes].toSorted((a, b) => a.localeCompare(b))).toEqual(['FENCED', 'published']);
    for (const version of await store.versions()) await store.load(version);
  });
});

describe('an evaluation', () => {
  it('comes back as it was published, checked by a checksum in the manifest', async () => {
    const { files } = await store.publish(network, weights, provenance, { evaluation });
    expect(await store.evaluation(1)).toEqual(evaluation);
    const bytes = await readFile(pathOf('1', 'evaluation.json'));
    expect(files['evaluation.json']).toEqual({ sha256: sha256Of(bytes), bytes: bytes.length });
  });

  it('is null for a version that was published without, as older ones were', async () => {
    const manifest = await store.publish(network, weights, provenance);
    expect(Object.keys(manifest.files)).toEqual(['model.json', 'weights.bin']);
    expect(await store.evaluation(1)).toBeNull();
  });

  it('that is damaged or missing is refused, and its model loads all the same', async () => {
    for (let i = 0; i < 2; i++) await store.publish(network, weights, provenance, { evaluation });
    await damage(dataDir, 1, 'evaluation.json');
    await rm(pathOf('2', 'evaluation.json'));
    for (const version of [1, 2]) {
      await expect(store.evaluation(version)).rejects.toMatchObject({
        code: 'MODEL_DAMAGED',
        message: expect.stringContaining(`evaluation.json of model ${version}: expected`),
      });
      expect((await store.load(version)).weights).toEqual(weights);
    }
  });

  it('of a version whose manifest is damaged is refused', async () => {
    await store.publish(network, weights, provenance, { evaluation });
    await damage(dataDir, 1, 'manifest.json');
    await expect(store.evaluation(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it('of no version is not found', async () => {
    await expect(store.evaluation(1)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('of a form that is not known is not called damaged', async () => {
    const later = { ...evaluation, confusion: 'elsewhere' } as unknown as Evaluation;
    await store.publish(network, weights, provenance, { evaluation: later });
    await expect(store.evaluation(1)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });
});

describe('findCheckpoint', () => {
  const publish = (jobId: string, epoch: number) =>
    store.publish(network, weights, { ...provenance, jobId, epoch, epochs: 9 });

  it('gives the newest version of that job and epoch, and of no other', async () => {
    await publish('a', 1);
    await publish('a', 1);
    await publish('a', 2);
    await publish('b', 1);
    expect(await store.findCheckpoint('a', 1)).toMatchObject({ version: 2, jobId: 'a', epoch: 1 });
    expect(await store.findCheckpoint('a', 3)).toBeNull();
    expect(await store.findCheckpoint('c', 1)).toBeNull();
  });

  it('passes over what it can not read', async () => {
    await publish('a', 1);
    await publish('a', 1);
    await writeFile(pathOf('2', 'manifest.json'), '{');
    expect(await store.findCheckpoint('a', 1)).toMatchObject({ version: 1 });
  });
});

describe('a reader', () => {
  it('sees no version in an empty store', async () => {
    expect(await store.versions()).toEqual([]);
    expect(await store.manifest(1)).toBeNull();
  });

  it('does not take a half-written directory for a version', async () => {
    await mkdir(pathOf('.staging-1'), { recursive: true });
    expect(await store.versions()).toEqual([]);
  });

  it.each(['weights.bin', 'model.json'])('refuses a %s with one changed byte', async (name) => {
    await store.publish(network, weights, provenance);
    const bytes = await readFile(pathOf('1', name));
    bytes[100]! ^= 1;
    await writeFile(pathOf('1', name), bytes);
    await expect(store.load(1)).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringMatching(new RegExp(`^${name} of model 1: expected SHA-256`)),
    });
  });

  it('refuses a version whose weights are missing', async () => {
    await store.publish(network, weights, provenance);
    await rm(pathOf('1', 'weights.bin'));
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it('does not take the system failing to read for damage', async () => {
    await store.publish(network, weights, provenance);
    await rm(pathOf('1', 'weights.bin'));
    await symlink('/proc/self/mem', pathOf('1', 'weights.bin')); // opens; reading it gives EIO
    await expect(store.load(1)).rejects.toMatchObject({
      code: 'MODEL_UNREADABLE',
      message: expect.stringMatching(/weights.bin of model 1.*EIO/),
    });
  });

  it('tells a version that is gone from a damaged one', async () => {
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await mkdir(pathOf('1'), { recursive: true });
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it('refuses a version under the number of another', async () => {
    await store.publish(network, weights, provenance);
    await rename(pathOf('1'), pathOf('7'));
    await expect(store.load(7)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it.each(['', '{', '{}', 'null', '[]', '{"format": 2}'])('refuses the manifest %j', async (text) => {
    await store.publish(network, weights, provenance);
    await writeFile(pathOf('1', 'manifest.json'), text);
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    await expect(store.manifest(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });
});

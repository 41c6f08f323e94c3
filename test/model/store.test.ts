import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialWeights, networks } from '../../src/model/network.ts';
import { type ModelStore, openStore } from '../../src/model/store.ts';
import { temporaryDirectory } from '../temporary.ts';
import { provenance } from './provenance.ts';

const network = networks.article;
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

  it('writes just the three files that the layout names', async () => {
    await store.publish(network, weights, provenance);
    expect((await readdir(pathOf())).toSorted()).toEqual(['1']);
    expect((await readdir(pathOf('1'))).toSorted()).toEqual(['manifest.json', 'model.json', 'weights.bin']);
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
    expect((await readdir(pathOf())).toSorted()).toEqual(['.staging-young', '1']);
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
      message: expect.stringMatching(new RegExp(`${name}: expected SHA-256`)),
    });
  });

  it('refuses a version whose weights are missing', async () => {
    await store.publish(network, weights, provenance);
    await rm(pathOf('1', 'weights.bin'));
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it.each(['', '{', '{}', '{"format": 2}'])('refuses the manifest %j', async (text) => {
    await store.publish(network, weights, provenance);
    await writeFile(pathOf('1', 'manifest.json'), text);
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    await expect(store.manifest(1)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });
});

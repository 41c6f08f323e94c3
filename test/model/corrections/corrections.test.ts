import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readSet, type SetsInUse } from '../../../src/model/corrections/correction-set.ts';
import { Corrections, withPixels } from '../../../src/model/corrections/corrections.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { correctionOf } from './made.ts';

let dataDir: string;
let corrections: Corrections;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  corrections = new Corrections(dataDir);
});

const add = async (number: number, change = {}) => {
  const result = await corrections.add(correctionOf(number, change));
  if (result.outcome === 'full') throw new Error('full');
  return result;
};
const freeze = (inUse: readonly string[] = []) => corrections.freeze('mnist', async () => new Set(inUse));
const setFile = (sha256: string) => join(dataDir, 'correction-sets', sha256, 'set');

describe('a correction', () => {
  it('is kept with its pixels and with what the model had said', async () => {
    const { outcome, correction } = await add(3);
    expect(outcome).toBe('added');
    expect(correction).toMatchObject({ ...correctionOf(3), id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await new Corrections(dataDir).find(correction.id)).toEqual(correction);
  });

  it('is one for each picture and model', async () => {
    const { correction } = await add(3);
    expect(await add(3)).toEqual({ outcome: 'known', correction });
    expect(await add(3, { label: '5' })).toEqual({ outcome: 'conflict', correction });
    expect(await add(3, { label: null })).toEqual({ outcome: 'conflict', correction });
    expect((await add(3, { model: 'letters', label: '5' })).outcome).toBe('added');
    expect((await corrections.list('mnist')).map(withPixels)).toEqual([correction]);
    expect(await corrections.list()).toHaveLength(2);
  });

  it('may say that a picture shows none of the labels', async () => {
    const { correction } = await add(3, { label: null });
    expect((await corrections.find(correction.id))?.label).toBeNull();
  });

  it('gets one label where many are sent at once', async () => {
    const labels = Array.from({ length: 10 }, (_, digit) => String(digit));
    const results = await Promise.all(labels.map((label) => add(3, { label })));
    expect(results.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(9);
    expect(new Set(results.map(({ correction }) => correction.label)).size).toBe(1);
  });

  it('gets one label where others are sent a moment later', async () => {
    for (let number = 0; number < 60; number++) {
      const first = add(number, { label: '1' });
      for (let turns = 0; turns < number % 20; turns++) await setImmediate();
      const results = await Promise.all([first, add(number, { label: '2' }), add(number, { label: '3' })]);
      expect(results.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
      expect(new Set(results.map(({ correction }) => correction.label)).size).toBe(1);
    }
  });

  it('is replaced where it is damaged, which is told', async () => {
    const damaged: string[] = [];
    const { correction } = await add(3);
    await writeFile(join(dataDir, 'corrections', correction.id, 'record.json'), '{}');
    corrections = new Corrections(dataDir, (id) => damaged.push(id));
    expect(await corrections.list()).toEqual([]);
    expect((await add(3, { label: '5' })).outcome).toBe('added');
    expect((await corrections.list()).map((stored) => stored.correction.label)).toEqual(['5']);
    expect(damaged).toEqual([correction.id]);
  });

  it('can be removed once', async () => {
    const { correction } = await add(3);
    expect(await corrections.remove(correction.id)).toBe(true);
    expect(await corrections.remove(correction.id)).toBe(false);
    expect(await corrections.find(correction.id)).toBeNull();
    expect((await add(3, { label: '5' })).outcome).toBe('added');
  });
});

describe('a frozen set', () => {
  it('needs corrections of the model', async () => {
    await add(1, { model: 'letters' });
    expect(await freeze()).toBeNull();
  });

  it('holds a fifth out, always the same, in whatever order they were made', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (numbers, turn) => {
          const at = turn % numbers.length;
          const hashes: string[] = [];
          for (const order of [numbers, [...numbers.slice(at), ...numbers.slice(0, at)].toReversed()]) {
            dataDir = await temporaryDirectory();
            corrections = new Corrections(dataDir);
            for (const number of order) await add(number);
            hashes.push((await freeze())!);
          }
          const { train, heldOut } = await readSet(dataDir, hashes[0]!, digitLabels);
          expect(hashes[1]).toBe(hashes[0]);
          expect(heldOut.count).toBe(Math.floor(numbers.length / 5));
          const images = [train, heldOut].flatMap((part) =>
            Array.from({ length: part.count }, (_, i) => [imageAt(part, i).join(), part.labels[i]] as const),
          );
          const made = numbers.map((number) => [correctionOf(number).pixels.join(), number % 10] as const);
          expect(new Map(images)).toEqual(new Map(made));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('stays as it is whatever is corrected or removed later', async () => {
    const { correction } = await add(1);
    await add(2, { label: null });
    const before = (await freeze())!;
    await corrections.remove(correction.id);
    await add(4);
    const after = (await freeze())!;
    expect(after).not.toBe(before);
    expect(new Set((await readSet(dataDir, before, digitLabels)).train.labels)).toEqual(new Set([1, 10]));
    expect(new Set((await readSet(dataDir, after, digitLabels)).train.labels)).toEqual(new Set([4, 10]));
  });

  it('is refused where it is damaged or gone', async () => {
    await add(1);
    const sha256 = (await freeze())!;
    expect(await corrections.modelOfSet(sha256)).toBe('mnist');
    await writeFile(setFile(sha256), '{"format": 1, "corrections": []}\n');
    await expect(readSet(dataDir, sha256, digitLabels)).rejects.toMatchObject({
      code: 'CORRECTIONS_DAMAGED',
    });
    expect(await corrections.modelOfSet(sha256)).toBeNull();
    expect(await freeze()).toBe(sha256); // in place of the damaged one
    expect((await readSet(dataDir, sha256, digitLabels)).train.count).toBe(1);
    const other = '0'.repeat(64);
    expect(await corrections.modelOfSet(other)).toBeNull();
    await expect(readSet(dataDir, other, digitLabels)).rejects.toMatchObject({ code: 'CORRECTIONS_MISSING' });
  });

  it('is kept while it is one of the newest hundred, counted from its last use', async () => {
    await add(0);
    const first = (await freeze())!;
    await add(1);
    const second = (await freeze())!;
    await utimes(join(dataDir, 'correction-sets', first), 1, 1);
    await utimes(join(dataDir, 'correction-sets', second), 2, 2);
    for (let number = 2; number < 100; number++) {
      await add(number);
      await freeze();
    }
    expect(await readdir(join(dataDir, 'correction-sets'))).toHaveLength(100);
    for (const { correction } of await corrections.list('mnist')) await corrections.remove(correction.id);
    await add(0);
    expect(await freeze()).toBe(first); // used again
    await add(1000);
    await freeze();
    expect(await corrections.modelOfSet(first)).toBe('mnist');
    expect(await corrections.modelOfSet(second)).toBeNull();
  });

  it('is kept while a job needs it, however old; nothing is asked or deleted before there are too many', async () => {
    const hashes: string[] = [];
    const asked = vi.fn<SetsInUse>(async () => new Set([hashes[0]!, hashes[2]!]));
    for (let number = 0; number < 100; number++) {
      await add(number);
      hashes.push((await corrections.freeze('mnist', asked))!);
      await utimes(join(dataDir, 'correction-sets', hashes[number]!), number + 1, number + 1);
    }
    expect(asked).not.toHaveBeenCalled();
    for (const number of [100, 101]) {
      await add(number);
      await corrections.freeze('mnist', asked);
    }
    const left = new Set(await readdir(join(dataDir, 'correction-sets')));
    expect(hashes.slice(0, 4).map((sha256) => left.has(sha256))).toEqual([true, false, true, true]);
    await add(102);
    await corrections.freeze('mnist', () => Promise.reject(new Error('Redis is away')));
    expect(await readdir(join(dataDir, 'correction-sets'))).toHaveLength(left.size + 1); // rather too many
  });
});

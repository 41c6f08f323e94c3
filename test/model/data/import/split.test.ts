import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../../../src/lib/sha256.ts';
import { distinct } from '../../../../src/model/data/import/duplicates.ts';
import type { SplitName } from '../../../../src/model/data/import/labels.ts';
import { type Part, planSplit, testCount } from '../../../../src/model/data/import/split.ts';
import { digitPng, importZip, manifestOf, pictures, picturesOf, problemsOf, twoLabels } from './importing.ts';

describe('the division into training and test', () => {
  const partsOf = (...splits: (SplitName | null)[]) => {
    const { partOf } = planSplit(new Set(splits));
    return partOf && splits.map(partOf);
  };

  it('is that of the archive where it has one', () => {
    expect(partsOf('train', 'test')).toEqual(['train', 'test']);
    expect(partsOf('train', 'validation', 'test')).toEqual(['train', 'train', 'test']);
    expect(partsOf('train', 'validation')).toEqual(['train', 'test']);
    expect(partsOf('validation', 'test')).toEqual(['train', 'test']);
    expect(partsOf(null, 'test')).toEqual(['train', 'test']);
    for (const only of ['train', 'validation', 'test', null] as const) expect(partsOf(only)).toBeNull();
  });

  it('draws a share of each label, and leaves some to both parts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5000 }),
        fc.double({ min: 0.05, max: 0.5, noNaN: true }),
        (n, share) => {
          const count = testCount(n, share);
          expect(count).toBeGreaterThanOrEqual(1);
          expect(count).toBeLessThan(n);
          expect(Math.abs(count - n * share)).toBeLessThanOrEqual(1);
        },
      ),
    );
    expect(testCount(1, 0.5)).toBe(0);
  });

  it('is stratified, and the same for the same seed', async () => {
    const entries = [...pictures('a', 20), ...pictures('b', 10, 20)];
    const [one, again, other] = await Promise.all([1, 1, 2].map((seed) => importZip(entries, { seed })));
    expect(manifestOf(one!).counts).toEqual({
      train: { count: 24, byLabel: [16, 8] },
      test: { count: 6, byLabel: [4, 2] },
    });
    expect(sha256Of(await picturesOf(again!))).toBe(sha256Of(await picturesOf(one!)));
    expect(manifestOf(other!).testSet).not.toBe(manifestOf(one!).testSet);
  });

  it('begins the training part with a fair sample of the labels', async () => {
    const entries = Array.from({ length: 10 }, (_, label) => pictures(`${label}`, 40, 40 * label)).flat();
    const imported = await importZip(entries, { testShare: 0.5 });
    const { offset } = manifestOf(imported).pictures.sections.labels;
    const bytes = await picturesOf(imported);
    const first = Array.from({ length: 20 }, (_, i) => bytes.readUInt16LE(offset + 2 * i));
    expect(new Set(first).size).toBeGreaterThanOrEqual(7); // 8.8 on average
  });
});

describe('pictures that are there twice', () => {
  it('are dropped, counted, refused or kept for the test', async () => {
    const same = digitPng(50);
    const imported = await importZip([
      ...twoLabels(4).map((entry) => ({ ...entry, name: `train/${entry.name as string}` })),
      ...pictures('test/a', 2, 20),
      ...pictures('test/b', 2, 30),
      { name: 'train/a/again.png', data: digitPng(0) },
      { name: 'train/a/leak.png', data: digitPng(20) },
      { name: 'train/a/both.png', data: same },
      { name: 'train/b/both.png', data: same },
      { name: 'test/b/both.png', data: same },
    ]);
    const { report, counts } = manifestOf(imported);
    expect(report).toMatchObject({ accepted: 12, duplicates: 2, inTrainAndTest: 1, problemCount: 3 });
    expect(report.duplicateFiles).toEqual([
      { path: 'train/a/again.png', sameAs: 'train/a/0.png' },
      { path: 'train/a/leak.png', sameAs: 'test/a/0.png' },
    ]);
    expect(counts).toMatchObject({ train: { byLabel: [4, 4] }, test: { byLabel: [2, 2] } });
    expect(problemsOf(imported)).toEqual(
      ['test/b', 'train/a', 'train/b'].map((folder) => `${folder}/both.png PICTURE_LABELLED_TWICE`),
    );
    expect(report.problems[1]!.got).toContain('test/b/both.png, train/b/both.png');
  });

  it('are named up to a thousand', async () => {
    const copies = Array.from({ length: 1002 }, (_, i) => ({
      name: `a/copy-${1000 + i}.png`,
      data: digitPng(0),
    }));
    const { report } = manifestOf(await importZip([...twoLabels(4), ...copies]));
    expect(report.duplicates).toBe(1002);
    expect(report.duplicateFiles).toHaveLength(1000);
    expect(report.duplicateFiles!.at(-1)).toEqual({ path: 'a/copy-1999.png', sameAs: 'a/0.png' });
  });

  it('are sorted out for any mixture of kinds, labels and parts', () => {
    const picture = fc.record({
      kind: fc.integer({ min: 0, max: 5 }),
      label: fc.integer({ min: 0, max: 1 }),
      part: fc.constantFrom<Part>('train', 'test'),
    });
    fc.assert(
      fc.property(fc.array(picture, { maxLength: 30 }), fc.boolean(), (all, isDivided) => {
        const hashes = Uint8Array.from(all.flatMap(({ kind }) => Array.from({ length: 32 }, () => kind)));
        const result = distinct({
          slots: all.map((_, slot) => slot),
          hashes,
          labelOf: (slot) => all[slot]!.label,
          partOf: isDivided ? (slot) => all[slot]!.part : null,
        });
        const refused = result.conflicts.flat().map((slot) => all[slot]!.kind);
        const kept = result.kept.map((slot) => all[slot]!);
        expect(new Set(kept.map(({ kind }) => kind)).size).toBe(kept.length);
        for (const { kind, part } of kept) {
          expect(refused).not.toContain(kind);
          const isInTest = all.some((other) => other.kind === kind && other.part === 'test');
          if (isDivided && isInTest) expect(part).toBe('test');
        }
        expect(kept.length + result.duplicates + refused.length).toBe(all.length);
        const leftOut = all.flatMap((_, slot) => (result.sameAs[slot]! < 0 ? [] : [slot]));
        expect(leftOut).toHaveLength(result.duplicates);
        for (const slot of leftOut) {
          const same = result.sameAs[slot]!;
          expect(result.kept).toContain(same);
          expect(all[same]).toMatchObject({ kind: all[slot]!.kind, label: all[slot]!.label });
        }
      }),
    );
  });
});

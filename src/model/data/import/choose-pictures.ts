/** Which pictures of those that were read make up the set, in which part and in which order. */
import { groupBy } from '../../../lib/group-by.ts';
import { leastLabels } from '../labels.ts';
import { distinct } from './duplicates.ts';
import { listedFiles } from './limits.ts';
import { type EntryProblem, fault, printable, type Refusal, refuse } from './problem.ts';
import type { Read } from './read-slots.ts';
import type { Slots } from './slots.ts';
import { compareForOrder, compareForTest, type Part, planSplit, ranksOf, testCount } from './split.ts';

export type Chosen = {
  readonly ok: true;
  readonly train: Uint32Array; // slots in their order, of which the first n are a fair sample
  readonly test: Uint32Array; // likewise
  readonly labels: readonly string[]; // that have pictures
  readonly labelOf: (slot: number) => number; // place in `labels`
  readonly hashes: Uint8Array; // by slot
  readonly testShare: number | null; // null: the archive divides the pictures itself
  readonly found: Found;
};

export type DuplicateFile = { readonly path: string; readonly sameAs: string };

/** What the report says of them. */
export type Found = {
  readonly duplicates: number;
  readonly duplicateFiles: readonly DuplicateFile[]; // the first ones
  readonly inTrainAndTest: number;
  readonly notes: readonly string[];
};

/** @param problems gets those of pictures with several labels */
export function choosePictures(
  slots: Slots,
  { slots: readable, hashes }: Read,
  { testShare, seed }: { readonly testShare: number; readonly seed: number },
  problems: EntryProblem[],
): Chosen | (Refusal & { readonly found: Found }) {
  const { partOf, note } = planSplit(slots.splits);
  const given = partOf && ((slot: number) => partOf(slots.splitOf(slot)));
  const labelOf = (slot: number) => slots.labelOf[slot]!;
  const { kept, duplicates, sameAs, inTrainAndTest, conflicts } = distinct({
    slots: readable,
    hashes,
    labelOf,
    partOf: given,
  });
  for (const group of conflicts) reportConflict(group, slots, problems);
  const ranks = ranksOf(hashes, seed);
  const parts = given ? dividedAs(kept, given) : dividedByRank(kept, labelOf, ranks, testShare);
  const byRank = (part: number[]) => Uint32Array.from(part).sort((a, b) => compareForOrder(ranks, a, b));
  const used = [...new Set(kept.map(labelOf))].toSorted((a, b) => a - b);
  const places = new Map(used.map((label, place) => [label, place]));
  const labels = used.map((label) => slots.labels[label]!);
  const [train, test] = [byRank(parts.train), byRank(parts.test)];
  const notes = [note, ...notesOn(slots.labels, labels, { labelOf, places, train, test })];
  const found = { duplicates, duplicateFiles: named(sameAs, slots), inTrainAndTest, notes };
  const refusal = judge(labels, train.length, test.length, problems.length > 0);
  if (refusal) return { ...refusal, found };
  const ofSlot = (slot: number) => places.get(labelOf(slot))!;
  const share = given ? null : testShare;
  return { ok: true, train, test, labels, labelOf: ofSlot, hashes, testShare: share, found };
}

/** @param sameAs by slot, the one that is kept in its place; -1: none */
function named(sameAs: Int32Array, { nameOf }: Slots): DuplicateFile[] {
  const files: DuplicateFile[] = [];
  for (let slot = 0; slot < sameAs.length && files.length < listedFiles; slot++) {
    const kept = sameAs[slot]!;
    if (kept >= 0) files.push({ path: printable(nameOf(slot)), sameAs: printable(nameOf(kept)) });
  }
  return files;
}

type Parts = Record<Part, number[]>;

function dividedAs(kept: readonly number[], partOf: (slot: number) => Part): Parts {
  return {
    train: kept.filter((slot) => partOf(slot) === 'train'),
    test: kept.filter((slot) => partOf(slot) === 'test'),
  };
}

/** A share of each label, so that rare labels are tested too. */
function dividedByRank(
  kept: readonly number[],
  labelOf: (slot: number) => number,
  ranks: Uint8Array,
  testShare: number,
): Parts {
  const parts: Parts = { train: [], test: [] };
  for (const ofLabel of groupBy(kept, labelOf).values()) {
    const ranked = ofLabel.toSorted((a, b) => compareForTest(ranks, a, b));
    const count = testCount(ranked.length, testShare);
    for (const slot of ranked.slice(0, count)) parts.test.push(slot);
    for (const slot of ranked.slice(count)) parts.train.push(slot);
  }
  return parts;
}

const namedFiles = 5;

function reportConflict(group: readonly number[], slots: Slots, problems: EntryProblem[]): void {
  const first = group.slice(0, namedFiles + 1); // a group may be as large as the archive
  const unnamed = group.length - 1 - namedFiles;
  const more = unnamed > 0 ? ` and ${unnamed} more` : '';
  for (const slot of group) {
    const others = first.filter((other) => other !== slot).slice(0, namedFiles);
    const names = others.map((other) => printable(slots.nameOf(other)));
    const got = `the same 28×28 picture under another label or several: ${names.join(', ')}${more}`;
    const wrong = fault('PICTURE_LABELLED_TWICE', 'one label for a picture', got);
    problems.push({ path: printable(slots.nameOf(slot)), ...wrong });
  }
}

type Division = {
  readonly labelOf: (slot: number) => number;
  readonly places: ReadonlyMap<number, number>;
  readonly train: Uint32Array;
  readonly test: Uint32Array;
};

function notesOn(all: readonly string[], used: readonly string[], division: Division): string[] {
  const has = (part: Uint32Array) => new Set(Array.from(part, (slot) => all[division.labelOf(slot)]!));
  const [inTrain, inTest] = [has(division.train), has(division.test)];
  const folded = groupBy(used, (label) => label.toLowerCase());
  const alike = [...folded.values()].filter(({ length }) => length > 1).flat();
  return [
    noteOn(
      'labels left out, since none of their pictures could be used',
      all.filter((label) => !used.includes(label)),
    ),
    noteOn(
      'labels without pictures to train on',
      used.filter((label) => !inTrain.has(label)),
    ),
    noteOn(
      'labels without pictures to test with',
      used.filter((label) => !inTest.has(label)),
    ),
    noteOn('labels that differ by case only, taken as several', alike),
  ].filter((note) => note !== null);
}

function noteOn(what: string, labels: readonly string[]): string | null {
  if (labels.length === 0) return null;
  const more = labels.length > 20 ? ` and ${labels.length - 20} more` : '';
  return `${what}: ${labels.slice(0, 20).join(', ')}${more}`;
}

function judge(labels: readonly string[], train: number, test: number, hasProblems: boolean): Refusal | null {
  const seeReport = hasProblems ? '; the report says why pictures were refused' : '';
  if (labels.length < leastLabels)
    return refuse(
      'DATASET_LABELS',
      `expected ${leastLabels} labels with pictures, got ${labels.length}${seeReport}`,
    );
  if (train > 0 && test > 0) return null;
  const got = `${train} to train on and ${test} to test with`;
  return refuse(
    'DATASET_EMPTY',
    `expected pictures to train on and to test with, got ${got}; add pictures${seeReport}`,
  );
}

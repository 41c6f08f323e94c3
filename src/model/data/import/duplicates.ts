/** Pictures that are the same, pixel by pixel. */
import { compareHashes, type Part } from './split.ts';

export type ReadSlots = {
  readonly slots: readonly number[]; // that could be read, ascending
  readonly hashes: Uint8Array; // [slots of the archive × 32], of the pixels
  readonly labelOf: (slot: number) => number;
  readonly partOf: ((slot: number) => Part) | null; // null: not divided yet
};

export type Distinct = {
  readonly kept: number[]; // slots, ascending
  readonly duplicates: number; // dropped: another with the same label is kept
  readonly sameAs: Int32Array; // [slots of the archive]: of a duplicate, the slot that is kept; -1 for others
  readonly inTrainAndTest: number; // of them, from the training part, since the same is in the test
  readonly conflicts: readonly (readonly number[])[]; // slots of the same pixels under several labels, all refused
};

/** Keeps one of each kind: one of the test part if there is any, and else the first. */
export function distinct(read: ReadSlots): Distinct {
  const kept: number[] = [];
  const conflicts: number[][] = [];
  const sameAs = new Int32Array(read.hashes.length / 32).fill(-1);
  let [duplicates, inTrainAndTest] = [0, 0];
  for (const group of groupsOf(read)) {
    if (new Set(group.map(read.labelOf)).size > 1) {
      conflicts.push(group);
      continue;
    }
    const inTest = read.partOf ? group.filter((slot) => read.partOf!(slot) === 'test') : [];
    const first = (inTest.length > 0 ? inTest : group)[0]!;
    kept.push(first);
    for (const slot of group) if (slot !== first) sameAs[slot] = first;
    duplicates += group.length - 1;
    if (inTest.length > 0) inTrainAndTest += group.length - inTest.length;
  }
  return { kept: kept.toSorted((a, b) => a - b), duplicates, sameAs, inTrainAndTest, conflicts };
}

/** Slots of the same pixels, each group ascending. Sorting takes no memory but the numbers. */
function* groupsOf({ slots, hashes }: ReadSlots): Generator<number[]> {
  const order = Uint32Array.from(slots).sort((a, b) => compareHashes(hashes, a, b));
  let group: number[] = [];
  for (const slot of order) {
    if (group.length > 0 && !isSame(hashes, group[0]!, slot)) {
      yield group;
      group = [];
    }
    group.push(slot);
  }
  if (group.length > 0) yield group;
}

function isSame(hashes: Uint8Array, a: number, b: number): boolean {
  return Buffer.compare(hashes.subarray(a * 32, a * 32 + 32), hashes.subarray(b * 32, b * 32 + 32)) === 0;
}

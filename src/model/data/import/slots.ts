/**
 * The pictures of an archive in one fixed order, whatever order the archive has them in: each has a slot, a label, a split
 * and a name. Threads may read them in any order.
 */
import type { ListedArchive, Place } from './archive.ts';
import { type IdxImages, type IdxPair, openIdxImages, pairIdx, readIdxLabels, tooMany } from './idx.ts';
import { type SplitName, sortLabels } from './labels.ts';
import type { LabelledFile, Layout } from './layout.ts';
import type { Limits } from './limits.ts';
import type { Pictures } from './read-order.ts';

/** Pictures to read, which get the slots from `first` on. */
export type SlotOrder = { readonly first: number; readonly pictures: Pictures };

export type Slots = {
  readonly count: number;
  readonly labels: readonly string[]; // sorted
  readonly labelOf: Uint16Array; // [count], places in `labels`
  readonly splits: ReadonlySet<SplitName | null>; // that occur
  readonly splitOf: (slot: number) => SplitName | null;
  readonly nameOf: (slot: number) => string;
  readonly orders: () => AsyncGenerator<SlotOrder, void>;
  /** Up to `count` pictures, as many of each label as can be. */
  readonly sample: (count: number) => AsyncGenerator<Pictures, void>;
};

const filesAtOnce = 16;
const greysAtOnce = 256; // of 28×28; fewer of larger ones
const greysBytes = greysAtOnce * 28 * 28;

export function slotsOfFiles({ files }: Layout): Slots {
  const sorted = files.toSorted((a, b) => compare(pathOf(a), pathOf(b)));
  const labels = sortLabels(new Set(sorted.map(({ label }) => label)));
  const labelOf = Uint16Array.from(
    indicesOf(
      labels,
      sorted.map(({ label }) => label),
    ),
  );
  const places = (chosen: readonly LabelledFile[]) => chosen.map(({ entry }) => entry.place);
  return {
    count: sorted.length,
    labels,
    labelOf,
    splits: new Set(sorted.map(({ split }) => split)),
    splitOf: (slot) => sorted[slot]!.split,
    nameOf: (slot) => pathOf(sorted[slot]!),
    async *orders() {
      for (let first = 0; first < sorted.length; first += filesAtOnce)
        yield { first, pictures: filesOf(places(sorted.slice(first, first + filesAtOnce))) };
    },
    async *sample(count) {
      const chosen = spread(labelOf, count).map((slot) => sorted[slot]!);
      for (let first = 0; first < chosen.length; first += filesAtOnce)
        yield filesOf(places(chosen.slice(first, first + filesAtOnce)));
    },
  };
}

const pathOf = ({ entry }: LabelledFile) => entry.parts.join('/');
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
const filesOf = (places: readonly Place[]): Pictures => ({ kind: 'files', places });

function indicesOf<T>(all: readonly T[], each: readonly T[]): number[] {
  const indices = new Map(all.map((one, index) => [one, index]));
  return each.map((one) => indices.get(one)!);
}

/** The first pictures of each label in turn. */
function spread(labelOf: Uint16Array, count: number): number[] {
  const seen = new Map<number, number>();
  const ranked = Array.from(labelOf, (label, slot) => {
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return { slot, before };
  });
  return ranked
    .toSorted((a, b) => a.before - b.before || a.slot - b.slot)
    .slice(0, count)
    .map(({ slot }) => slot);
}

/** Up to `count` slots in order: as many of each label as of the others, spread over those that it has. */
function spreadEvenly(labelOf: Uint16Array, count: number): readonly number[] {
  const slotsOf = new Map<number, number[]>();
  for (const [slot, label] of labelOf.entries()) {
    const slots = slotsOf.get(label);
    if (slots) slots.push(slot);
    else slotsOf.set(label, [slot]);
  }
  const each = Math.ceil(count / Math.max(1, slotsOf.size));
  const chosen = [...slotsOf.values()].flatMap((slots) => evenly(slots, each));
  const inOrder = chosen.toSorted((a, b) => a - b);
  return evenly(inOrder, count);
}

function evenly(slots: readonly number[], count: number): readonly number[] {
  if (slots.length <= count) return slots;
  return Array.from({ length: count }, (_, i) => slots[Math.floor(((i + 0.5) * slots.length) / count)]!);
}

type OpenPair = IdxPair & { readonly first: number; readonly numbers: Uint8Array };

/** @throws TrainyardError `IDX_INVALID`; the file system's error */
export async function slotsOfIdx({ path, entries }: ListedArchive, limits: Limits): Promise<Slots> {
  const pairs: OpenPair[] = [];
  let count = 0;
  for (const pair of pairIdx(entries)) {
    const numbers = await readIdxLabels(path, pair.labels, limits);
    pairs.push({ ...pair, first: count, numbers });
    count += numbers.length;
    if (count > limits.pictures) throw tooMany(limits.pictures);
  }
  const numbers = Buffer.concat(pairs.map((pair) => pair.numbers));
  const labels = sortLabels(new Set(Array.from(new Set(numbers), String)));
  const indices = new Map(labels.map((label, index) => [Number(label), index]));
  const labelOf = Uint16Array.from(numbers, (number) => indices.get(number)!);
  const pairOf = (slot: number) => pairs.findLast(({ first }) => first <= slot)!;
  const open = (pair: OpenPair) => openIdxImages(path, pair.images, limits);
  return {
    count,
    labels,
    labelOf,
    splits: new Set(pairs.map(({ split }) => split)),
    splitOf: (slot) => pairOf(slot).split,
    nameOf: (slot) => `${pairOf(slot).images.parts.join('/')}[${slot - pairOf(slot).first}]`,
    async *orders() {
      for (const pair of pairs) yield* ordersOf(pair.first, await open(pair), pair.numbers.length);
    },
    async *sample(most) {
      const chosen = spreadEvenly(labelOf, most);
      for (const pair of pairs) {
        const { first, numbers: ofPair } = pair;
        const wanted = chosen.map((slot) => slot - first).filter((i) => i >= 0 && i < ofPair.length);
        if (wanted.length > 0) yield* sampleOf(await open(pair), wanted);
      }
    },
  };
}

const atOnce = ({ width, height }: IdxImages) => Math.max(1, Math.floor(greysBytes / (width * height)));
const greysOf = (greys: Uint8Array, { width, height }: IdxImages): Pictures => ({
  kind: 'greys',
  greys,
  width,
  height,
});

/** The pictures at these places, which are in order, without those after the last one. */
async function* sampleOf(images: IdxImages, wanted: readonly number[]): AsyncGenerator<Pictures, void> {
  const size = images.width * images.height;
  let first = 0;
  for await (const greys of images.pieces(atOnce(images))) {
    const next = first + greys.length / size;
    const here = wanted.filter((place) => place >= first && place < next);
    const parts = here.map((place) => greys.subarray((place - first) * size, (place - first + 1) * size));
    if (parts.length > 0) yield greysOf(Uint8Array.from(Buffer.concat(parts)), images);
    first = next;
    if (first > wanted.at(-1)!) return;
  }
}

async function* ordersOf(
  start: number,
  images: IdxImages,
  labelCount: number,
): AsyncGenerator<SlotOrder, void> {
  images.expect(labelCount);
  let first = start;
  for await (const greys of images.pieces(atOnce(images))) {
    const next = first + greys.length / (images.width * images.height); // before a thread gets the bytes
    yield { first, pictures: greysOf(greys, images) };
    first = next;
  }
}

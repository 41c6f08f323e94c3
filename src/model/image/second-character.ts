/**
 * A second character that `find-characters.ts` does not count, because it is small, or because it is near enough to the first
 * one to be a stroke of it. It is a shape of ink that no chain of near ink ties to the first character, and has a
 * digit's form rather than that of a bar, a dot or what is left of a printed line.
 */
import { type Box, heightOf, longestOf, widthOf } from './box.ts';
import type { CleanInk } from './clean-ink.ts';
import type { Character } from './find-characters.ts';
import type { Shape } from './shapes.ts';

// Chosen by hand on MNIST training digits on the paper of `bench/trust`, without the kinds that are held back. Shares are
// of the longer side of the first character's largest shape, unless they say otherwise.
const near = 0.07; // ink this near belongs together
const far = 0.11; // ink this far may be of a digit that is wider or narrower than most
const leastTie = 0.05; // smaller shapes tie nothing together: they are dust
const mostShapes = 40; // the largest ones; a picture with more shows a pattern
const leastSide = 0.2;
const leastPixels = 6; // of the longer side
const leastInk = 0.015; // of the first one's pixels; tall shapes with less are the teeth of a comb
const [narrowest, widest] = [0.3, 1.45]; // width to height; narrower is a stroke or a 1, wider the bar of a 5 or a 7
const tall = 0.75; // a narrow shape this tall is a 1, however near it is
const farWidest = 1.75; // width to height
const ruled = 0.95; // of a narrow one's box is ink: no hand draws so straight
const dot = { side: 0.27, fill: 0.68, narrowest: 0.35 }; // smaller, more of its box is ink, and wider than that

export function hasSecondCharacter(clean: CleanInk, first: Character): boolean {
  const core = clean.shapes.find(({ label }) => first.labels.includes(label));
  if (!core || clean.shapes.length === 1) return false;
  const sideOf = ({ box }: Shape) => longestOf(box) / longestOf(core.box);
  const others = clean.shapes
    .filter((shape) => shape !== core && sideOf(shape) >= leastTie)
    .slice(0, mostShapes);
  const isLargeEnough = (shape: Shape) =>
    sideOf(shape) >= leastSide &&
    longestOf(shape.box) >= leastPixels &&
    shape.pixels >= leastInk * core.pixels &&
    !(sideOf(shape) < dot.side && isRound(shape));
  const candidates = others.filter((shape) => isLargeEnough(shape) && isInside(shape.box, clean.ink));
  const isUsual = (shape: Shape) =>
    ratioOf(shape) >= narrowest ? ratioOf(shape) <= widest : sideOf(shape) >= tall && isOne(shape, clean);
  const isUnusual = (shape: Shape) =>
    ratioOf(shape) >= narrowest ? ratioOf(shape) <= farWidest : isOne(shape, clean);
  if (!candidates.some(isUnusual)) return false;
  const tied = (share: number) => tiedTo(core, others, clean, Math.round(share * longestOf(core.box)));
  const [nearby, around] = [tied(near), tied(far)];
  return candidates.some(
    (shape) => (!nearby.has(shape.label) && isUsual(shape)) || (!around.has(shape.label) && isUnusual(shape)),
  );
}

const ratioOf = ({ box }: Shape) => widthOf(box) / heightOf(box);
const fillOf = ({ box, pixels }: Shape) => pixels / (widthOf(box) * heightOf(box));

const isRound = (shape: Shape) => fillOf(shape) > dot.fill && ratioOf(shape) > dot.narrowest;

/** Whether a narrow shape may be a 1: on a form it is rather what is left of a line. */
const isOne = (shape: Shape, { removed }: CleanInk) => removed.lines.length === 0 && fillOf(shape) <= ruled;

/** What touches the picture's edge is a shadow, or the rest of a frame. */
function isInside({ x0, y0, x1, y1 }: Box, { width, height }: CleanInk['ink']): boolean {
  return x0 > 0 && y0 > 0 && x1 < width - 1 && y1 < height - 1;
}

/** The labels of the core and of what is tied to it, directly or by others: with no more than `gap` pixels of paper between. */
function tiedTo(core: Shape, others: readonly Shape[], clean: CleanInk, gap: number): ReadonlySet<number> {
  const around = new Map(
    [core, ...others].map(({ label, box }) => [label, labelsAround(clean, box, gap + 1)]),
  );
  const tied = new Set([core.label]);
  for (const label of tied) // grows while it is walked through
    for (const { label: other } of others)
      if (around.get(label)!.has(other) || around.get(other)!.has(label)) tied.add(other);
  return tied;
}

/** The labels of all ink in a box that is `by` pixels larger to each side. */
function labelsAround({ labels, ink: { width, height } }: CleanInk, box: Box, by: number): Set<number> {
  const found = new Set<number>();
  const [x0, x1] = [Math.max(0, box.x0 - by), Math.min(width - 1, box.x1 + by)];
  for (let y = Math.max(0, box.y0 - by); y <= Math.min(height - 1, box.y1 + by); y++)
    for (let i = y * width + x0; i <= y * width + x1; i++) if (labels[i] !== 0) found.add(labels[i]!);
  return found;
}

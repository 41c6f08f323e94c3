/** Takes lines out of a map of ink; strokes that cross them stay whole. */
import type { Greys } from './greys.ts';
import type { Line } from './straight-lines.ts';

const softEdge = 1.5; // pixels beside a line in which it fades out
const slants = [0, 0.5, -0.5, 1, -1, 1.6, -1.6, 2.4, -2.4]; // pixels along the line for one across it
const darker = 1.6; // times the line's own ink: a stroke that lies on it

/** A new map. Ink across a line is what both sides of it have, looked at in several directions. */
export function eraseLines(ink: Greys, lines: readonly Line[]): Greys {
  const values = ink.values.slice();
  for (const line of lines) eraseLine({ ...ink, values }, ink.values, line);
  return { ...ink, values };
}

/** A picture seen along a line: `along` and `across` it. */
type View = {
  readonly length: number;
  readonly depth: number;
  readonly at: (along: number, across: number) => number;
};

function viewOf({ width, height }: Greys, isUpright: boolean): View {
  return isUpright
    ? { length: height, depth: width, at: (along, across) => along * width + across }
    : { length: width, depth: height, at: (along, across) => across * width + along };
}

function eraseLine(target: Greys, original: Uint8Array, line: Line): void {
  const view = viewOf(target, line.isUpright);
  const half = line.thickness / 2 + softEdge * Math.hypot(1, line.slope);
  const strength = strengthOf(original, view, line);
  const { values } = target;
  const from = Math.max(0, line.from - 2);
  const to = Math.min(view.length - 1, line.to + 2);
  const before = values.slice();
  const get = (along: number, across: number) =>
    along < 0 || along >= view.length || across < 0 || across >= view.depth
      ? 0
      : before[view.at(along, across)]!;
  for (let along = from; along <= to; along++) {
    const middle = line.offset + line.slope * along;
    const first = Math.ceil(middle - half);
    const last = Math.floor(middle + half);
    for (let across = Math.max(0, first); across <= Math.min(view.depth - 1, last); across++) {
      const i = view.at(along, across);
      const bridged = bridge(get, along, across, { above: first - 1, below: last + 1, slope: line.slope });
      const own = original[i]! > darker * strength ? before[i]! : 0;
      values[i] = Math.min(before[i]!, Math.max(bridged, own));
    }
  }
}

/** What lies right above and below a line at one place along it. */
type Sides = { readonly above: number; readonly below: number; readonly slope: number };

/** The weaker of the ink on either side of the band, in the direction where it is strongest. */
function bridge(
  get: (along: number, across: number) => number,
  along: number,
  across: number,
  { above, below, slope }: Sides,
): number {
  const inkAt = (step: number, side: number) =>
    get(Math.round(along + step), side + Math.round(slope * Math.round(step)));
  let strongest = 0;
  for (const slant of slants) {
    const one = inkAt(-slant * (across - above), above);
    if (one <= strongest) continue;
    strongest = Math.max(strongest, Math.min(one, inkAt(slant * (below - across), below)));
  }
  return strongest;
}

/** The median over a line's length of its strongest ink across. */
function strengthOf(values: Uint8Array, view: View, line: Line): number {
  const strongest: number[] = [];
  for (let along = line.from; along <= line.to; along++) {
    const middle = Math.round(line.offset + line.slope * along);
    let most = 0;
    for (let across = Math.max(0, middle - 1); across <= Math.min(view.depth - 1, middle + 1); across++)
      most = Math.max(most, values[view.at(along, across)]!);
    strongest.push(most);
  }
  return strongest.toSorted((a, b) => a - b)[strongest.length >> 1] ?? 0;
}

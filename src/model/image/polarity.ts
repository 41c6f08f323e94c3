/** Whether ink is darker than its paper, where the paper's light is uneven. */
import { medianOf } from '../../lib/counts.ts';
import type { Greys } from './greys.ts';

const cells = 10; // along the shorter side
const reach = 2; // cells to each side, whose median is the paper
const clear = 0.35; // the least skew, from 0 to 1, that decides

/** Ink is few and far from the paper around it: by the third moment about a local median. */
export function isInkDark(greys: Greys, otherwise: boolean): boolean {
  const { values, width, height } = greys;
  const cell = Math.max(1, Math.floor(Math.min(width, height) / cells));
  const columns = Math.ceil(width / cell);
  const rows = Math.ceil(height / cell);
  const counts = new Uint32Array(256);
  let [signed, absolute] = [0, 0];
  const add = (x: number, y: number) => {
    const [x0, x1] = [Math.max(0, (x - reach) * cell), Math.min(width, (x + reach + 1) * cell)];
    const [y0, y1] = [Math.max(0, (y - reach) * cell), Math.min(height, (y + reach + 1) * cell)];
    const paper = levelOf(greys, counts, x0, y0, x1, y1);
    for (let row = y * cell; row < Math.min(height, (y + 1) * cell); row++) {
      for (let column = x * cell; column < Math.min(width, (x + 1) * cell); column++) {
        const cube = (values[row * width + column]! - paper) ** 3;
        signed += cube;
        absolute += Math.abs(cube);
      }
    }
  };
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) add(x, y);
  const skew = absolute === 0 ? 0 : signed / absolute;
  return Math.abs(skew) < clear ? otherwise : skew < 0;
}

/** The median of a part; `counts` is overwritten. */
function levelOf(
  { values, width }: Greys,
  counts: Uint32Array,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): number {
  counts.fill(0);
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) counts[values[y * width + x]!]!++;
  return medianOf(counts);
}

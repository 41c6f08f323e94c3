/** Whether ink is darker than its paper, where the paper's light is uneven. */
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
  let [signed, absolute] = [0, 0];
  const add = (x: number, y: number) => {
    const [x0, x1] = [Math.max(0, (x - reach) * cell), Math.min(width, (x + reach + 1) * cell)];
    const [y0, y1] = [Math.max(0, (y - reach) * cell), Math.min(height, (y + reach + 1) * cell)];
    const paper = medianOf(greys, x0, y0, x1, y1);
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

/** The mean of the middle two, so that the inverse image has the inverse median. */
function medianOf({ values, width }: Greys, x0: number, y0: number, x1: number, y1: number): number {
  const part = new Uint8Array((x1 - x0) * (y1 - y0));
  let n = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) part[n++] = values[y * width + x]!;
  part.sort();
  return (part[(n - 1) >> 1]! + part[n >> 1]!) / 2;
}

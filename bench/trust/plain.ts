/** One digit on paper with nothing else, and the pens it is written with. */
import type { Random } from '../../src/lib/random.ts';
import { between, grain, integer, press, type Sheet, type Stamp, sheet, soften, stamp } from './canvas.ts';
import type { Digit, Kind } from './kinds.ts';

export type Written = {
  readonly on: Sheet;
  readonly left: number;
  readonly top: number;
  readonly form: Stamp;
};

/** `thick`: of the digit's height, by which its strokes grow to all sides. */
export type Pen = { readonly tone: number; readonly paper: number; readonly thick?: number };

/** A sheet with room around one digit. */
export function written(random: Random, digit: Digit, pen: Pen, least = 60, most = 240): Written {
  const side = integer(random, least, most);
  const form = thickened(stamp(digit.pixels, side), Math.round((pen.thick ?? 0) * side));
  const height = Math.round(Math.max(form.width, form.height) * between(random, 1.5, 2.6));
  const width = Math.round(height * between(random, 0.85, 1.25));
  const on = sheet(width, height, pen.paper);
  const left = Math.round((width - form.width) * between(random, 0.25, 0.75));
  const top = Math.round((height - form.height) * between(random, 0.25, 0.75));
  return { on, left, top, form };
}

export const usualPen = (random: Random): Pen => ({
  tone: between(random, 15, 80),
  paper: between(random, 205, 250),
});

export function finish(random: Random, on: Sheet, amount = between(random, 0, 4)): Sheet {
  const soft = soften(on, integer(random, 0, 1));
  grain(soft, random, amount);
  return soft;
}

/** Ink grown (or, below 0, thinned) by some pixels to all sides. */
function thickened(form: Stamp, by: number): Stamp {
  if (by === 0) return form;
  const reach = Math.abs(by);
  const [width, height] = [form.width + 2 * reach, form.height + 2 * reach];
  const pad = (x: number, y: number) =>
    x < 0 || y < 0 || x >= form.width || y >= form.height ? 0 : form.ink[y * form.width + x]!;
  const ink = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = by > 0 ? 0 : 1;
      for (let j = -reach; j <= reach; j++) {
        for (let i = -reach; i <= reach; i++) {
          if (i * i + j * j > reach * reach + 1) continue;
          const value = pad(x - reach + i, y - reach + j);
          best = by > 0 ? Math.max(best, value) : Math.min(best, value);
        }
      }
      ink[y * width + x] = best;
    }
  }
  return { ink, width, height };
}

export function one(
  change: (random: Random, page: Written, pen: Pen) => Sheet | undefined,
  choosePen = usualPen,
  noise?: number,
): Kind {
  return (random, next) => {
    const digit = next();
    const pen = choosePen(random);
    const page = written(random, digit, pen);
    press(page.on, page.form, page.left, page.top, pen.tone);
    const changed = change(random, page, pen) ?? page.on;
    return { sheet: finish(random, changed, noise), labels: [digit.label] };
  };
}

export const clean: Kind = (random, next) => {
  const digit = next();
  const page = written(random, digit, { tone: 0, paper: 255 });
  press(page.on, page.form, page.left, page.top, 0);
  return { sheet: page.on, labels: [digit.label] };
};

/** Faint and thin, with the tooth of the paper in it. */
export const pencil = one(
  (random, { on }) => {
    const before = on.light.slice();
    grain(on, random, 7);
    for (let i = 0; i < before.length; i++) on.light[i] = Math.max(on.light[i]!, before[i]! - 6);
    return on;
  },
  (random) => {
    const paper = between(random, 215, 245);
    return { paper, tone: paper - between(random, 45, 100), thick: between(random, -0.012, 0) };
  },
);

export const marker = one(
  () => undefined,
  (random) => ({
    tone: between(random, 5, 60),
    paper: between(random, 215, 250),
    thick: between(random, 0.012, 0.035),
  }),
);

/** A digit on ruled or squared paper, in printed boxes and fields, over a line. */
import type { Random } from '../../src/lib/random.ts';
import { between, chance, drawLine, integer, press, type Sheet, sheet, stamp } from './canvas.ts';
import type { Kind } from './kinds.ts';
import { finish, one, usualPen, type Written } from './plain.ts';

type Print = { readonly thick: number; readonly tone: number; readonly tilt: number };

function print(random: Random, paper: number): Print {
  return {
    thick: between(random, 1, 3),
    tone: paper - between(random, 45, 190),
    tilt: chance(random, 0.5) ? 0 : between(random, -0.05, 0.05),
  };
}

/** Lines over the whole sheet, every `step` pixels, tilted a little. */
function rule(
  on: Sheet,
  { thick, tone, tilt }: Print,
  step: number,
  first: number,
  isUpright: boolean,
): void {
  const [length, depth] = isUpright ? [on.height, on.width] : [on.width, on.height];
  const drift = tilt * length * (isUpright ? -1 : 1);
  for (let at = first - 0.1 * length; at < depth + 0.1 * length; at += step) {
    if (isUpright) drawLine(on, [at, -5], [at + drift, length + 5], thick, tone);
    else drawLine(on, [-5, at], [length + 5, at + drift], thick, tone);
  }
}

export const ruled = one((random, { on, form }, { paper }) => {
  const step = Math.max(form.height, form.width) * between(random, 0.35, 1.3);
  rule(on, print(random, paper), step, between(random, 0, step), false);
  return on;
});

export const squared = one((random, { on, form }, { paper }) => {
  const step = Math.max(14, Math.max(form.height, form.width) * between(random, 0.2, 0.8));
  const lines = print(random, paper);
  rule(on, lines, step, between(random, 0, step), false);
  rule(on, lines, step, between(random, 0, step), true);
  return on;
});

function rectangle(
  on: Sheet,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  { thick, tone, tilt }: Print,
): void {
  const t = 0.6 * tilt;
  const turn = (x: number, y: number): [number, number] => [x - t * (y - y0), y + t * (x - x0)];
  const corners = [turn(x0, y0), turn(x1, y0), turn(x1, y1), turn(x0, y1)];
  for (let i = 0; i < 4; i++) drawLine(on, corners[i]!, corners[(i + 1) % 4]!, thick, tone);
}

/** A box around the digit, which may touch it or stick out. */
export const boxed = one((random, { on, form, left, top }, { paper }) => {
  const high = Math.max(form.height, form.width) * between(random, 1.05, 1.45);
  const wide = high * between(random, 0.85, 1.3);
  const x0 = left + form.width / 2 - wide / 2 + (wide - form.width) * between(random, -0.4, 0.4);
  const y0 = top + form.height / 2 - high / 2 + (high - form.height) * between(random, -0.5, 0.5);
  rectangle(on, x0, y0, x0 + wide, y0 + high, print(random, paper));
  return on;
});

/** One field of a comb, cut out of the form: its sides touch the picture's edge, or are cut off by it. */
export const comb: Kind = (random, next) => {
  const digit = next();
  const pen = usualPen(random);
  const form = stamp(digit.pixels, integer(random, 50, 160));
  const high = Math.round(Math.max(form.height, form.width) * between(random, 1.15, 1.6));
  const wide = Math.round(high * between(random, 0.8, 1.1));
  const margin = () => integer(random, -2, Math.round(0.12 * high));
  const [before, after, above, below] = [margin(), margin(), margin(), margin()];
  const on = sheet(wide + before + after, high + above + below, pen.paper);
  const lines = { ...print(random, pen.paper), tilt: 0 };
  const isOpen = chance(random, 0.5); // a comb has no upper line, and short teeth
  const tooth = above + high * (isOpen ? between(random, 0.3, 0.8) : 0);
  drawLine(on, [-9, above + high], [on.width + 9, above + high], lines.thick, lines.tone);
  if (!isOpen) drawLine(on, [-9, above], [on.width + 9, above], lines.thick, lines.tone);
  for (const x of [before, before + wide])
    drawLine(on, [x, tooth], [x, above + high], lines.thick, lines.tone);
  const left = Math.round(before + (wide - form.width) * between(random, 0.3, 0.7));
  const top = Math.round(above + (high - form.height) * between(random, 0.25, 0.75));
  press(on, form, left, top, pen.tone);
  return { sheet: finish(random, on), labels: [digit.label] };
};

export const underlined = one((random, page, { paper }) => {
  underline(random, page, paper);
  return page.on;
});

function underline(random: Random, { on, form, left, top }: Written, paper: number): void {
  const y = top + form.height * between(random, 1.0, 1.15);
  const over = form.height * between(random, 0.15, 0.6);
  const { thick, tone, tilt } = print(random, paper);
  drawLine(on, [left - over, y], [left + form.width + over, y + tilt * (form.width + 2 * over)], thick, tone);
}

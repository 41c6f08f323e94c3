/** More than one digit in a picture. */
import type { Random } from '../../src/lib/random.ts';
import { between, chance, drawLine, integer, press, type Sheet, type Stamp, sheet, stamp } from './canvas.ts';
import type { Digit, Kind, Made } from './kinds.ts';
import { finish, type Pen, usualPen } from './plain.ts';

/** Digits of about one height side by side, `gap` (of the height) apart. */
function row(
  random: Random,
  digits: readonly Digit[],
  gap: () => number,
  height: number,
  pen: Pen,
  form?: (on: Sheet, height: number, cells: readonly number[]) => void,
): Made {
  const stamps = digits.map(({ pixels }) => sized(pixels, height * between(random, 0.88, 1.06)));
  const lefts: number[] = [];
  let x = 0;
  for (const [i, each] of stamps.entries()) {
    if (i > 0) x = pastBefore(stamps[i - 1]!, each, lefts[i - 1]!, gap() * height);
    lefts.push(Math.round(x));
  }
  const wide = lefts.at(-1)! + stamps.at(-1)!.width;
  const margin = Math.round(height * between(random, 0.3, 0.8));
  const on = sheet(wide + 2 * margin, Math.round(height * 1.15) + 2 * margin, pen.paper);
  form?.(on, height, [...lefts.map((left) => left + margin), wide + margin]);
  for (const [i, each] of stamps.entries()) {
    const top = margin + Math.round((height - each.height) * between(random, 0.2, 0.8) + height * 0.05);
    press(on, each, margin + lefts[i]!, top, pen.tone);
  }
  return { sheet: finish(random, on), labels: digits.map(({ label }) => label) };
}

/** A stamp whose ink is `height` pixels high. */
function sized(pixels: Uint8Array, height: number): Stamp {
  const first = stamp(pixels, 84);
  return stamp(pixels, Math.max(20, Math.round((84 * height) / Math.max(first.height, 0.7 * first.width))));
}

/** Where the next stamp starts so that its ink is `gap` pixels from the ink before, in the row where they are nearest. */
function pastBefore(before: Stamp, next: Stamp, left: number, gap: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let y = 0; y < Math.min(before.height, next.height); y++) {
    const right = lastInk(before, y);
    const start = firstInk(next, y);
    if (right >= 0 && start >= 0) nearest = Math.min(nearest, before.width - 1 - right + start);
  }
  return left + before.width - (Number.isFinite(nearest) ? nearest : 0) + gap;
}

function lastInk({ ink, width }: Stamp, y: number): number {
  for (let x = width - 1; x >= 0; x--) if (ink[y * width + x]! > 0.4) return x;
  return -1;
}

function firstInk({ ink, width }: Stamp, y: number): number {
  for (let x = 0; x < width; x++) if (ink[y * width + x]! > 0.4) return x;
  return -1;
}

export const twoApart: Kind = (random, next) =>
  row(random, [next(), next()], () => between(random, 0.08, 0.6), integer(random, 50, 150), usualPen(random));

export const twoTouching: Kind = (random, next) =>
  row(
    random,
    [next(), next()],
    () => between(random, -0.07, -0.01),
    integer(random, 50, 150),
    usualPen(random),
  );

/** A second digit of a quarter to half the first one's height, to any side of it, `gap` of the height away. */
export const twoSmall: Kind = (random, next) => {
  const height = integer(random, 60, 150);
  const [first, second] = [next(), next()];
  const large = sized(first.pixels, height);
  const small = sized(second.pixels, height * between(random, 0.25, 0.5));
  return pair(random, [first, second], [large, small], {
    gap: height * between(random, 0.08, 0.5),
    isStacked: chance(random, 0.4),
    isSwapped: chance(random, 0.5),
  });
};

/** One digit below the other, of about one height. */
export const twoStacked: Kind = (random, next) => {
  const height = integer(random, 50, 120);
  const digits = [next(), next()] as const;
  const [upper, lower] = [0, 1].map((n) => sized(digits[n]!.pixels, height * between(random, 0.7, 1.06)));
  const gap = height * between(random, 0.08, 0.6);
  return pair(random, digits, [upper!, lower!], { gap, isStacked: true, isSwapped: false });
};

/** The boxes of two digits, `gap` pixels apart along one side and anywhere along the other where they overlap. */
function pair(
  random: Random,
  digits: readonly [Digit, Digit],
  stamps: readonly [Stamp, Stamp],
  { gap, isStacked, isSwapped }: { gap: number; isStacked: boolean; isSwapped: boolean },
): Made {
  const pen = usualPen(random);
  const order = isSwapped ? [1, 0] : [0, 1];
  const [before, after] = order.map((n) => stamps[n]!) as [Stamp, Stamp];
  const side = isStacked ? 'height' : 'width';
  const across = isStacked ? 'width' : 'height';
  const step = before[side] + Math.round(gap);
  const slack = before[across] - after[across];
  const shift = Math.round(
    slack / 2 + Math.max(before[across], after[across]) * between(random, -0.35, 0.35),
  );
  const [x, y] = isStacked ? [shift, step] : [step, shift];
  const [left, top] = [Math.max(0, -x), Math.max(0, -y)];
  const margin = Math.round(Math.max(before.height, after.height) * between(random, 0.3, 0.8));
  const on = sheet(
    Math.max(left + before.width, left + x + after.width) + 2 * margin,
    Math.max(top + before.height, top + y + after.height) + 2 * margin,
    pen.paper,
  );
  press(on, before, margin + left, margin + top, pen.tone);
  press(on, after, margin + left + x, margin + top + y, pen.tone);
  const isAfterLeft = 2 * x + after.width < before.width;
  const labels = order.map((n) => digits[n]!.label);
  return { sheet: finish(random, on), labels: isAfterLeft ? labels.toReversed() : labels };
}

/** A line of up to twenty digits, plain, on a rule or in the cells of a form. */
export const line: Kind = (random, next) => {
  const digits = Array.from({ length: integer(random, 2, 20) }, next);
  const pen = usualPen(random);
  const style = integer(random, 0, 2);
  const thick = between(random, 1, 2.5);
  const tone = pen.paper - between(random, 50, 160);
  const rule = (on: Sheet, height: number) => {
    const y = on.height / 2 + height * between(random, 0.45, 0.65);
    drawLine(on, [-5, y], [on.width + 5, y], thick, tone);
  };
  const height = integer(random, 36, 90);
  if (style === 2) return inCells(random, digits, height, pen, { thick, tone });
  return row(random, digits, () => between(random, 0.06, 0.4), height, pen, style === 1 ? rule : undefined);
};

function inCells(
  random: Random,
  digits: readonly Digit[],
  height: number,
  pen: Pen,
  print: { thick: number; tone: number },
): Made {
  const [cell, high] = [
    Math.round(height * between(random, 1.15, 1.5)),
    Math.round(height * between(random, 1.2, 1.5)),
  ];
  const margin = integer(random, 4, 30);
  const on = sheet(cell * digits.length + 2 * margin, high + 2 * margin, pen.paper);
  const isComb = chance(random, 0.4);
  const [left, right, bottom] = [margin, margin + cell * digits.length, margin + high];
  drawLine(on, [left, bottom], [right, bottom], print.thick, print.tone);
  if (!isComb) drawLine(on, [left, margin], [right, margin], print.thick, print.tone);
  const tooth = margin + (isComb ? 0.6 * high : 0);
  for (let i = 0; i <= digits.length; i++)
    drawLine(on, [left + i * cell, tooth], [left + i * cell, bottom], print.thick, print.tone);
  for (const [i, { pixels }] of digits.entries()) {
    const each = sized(pixels, height * between(random, 0.8, 1));
    const x = left + i * cell + Math.round((cell - each.width) * between(random, 0.35, 0.65));
    press(on, each, x, margin + Math.round((high - each.height) * between(random, 0.35, 0.65)), pen.tone);
  }
  return { sheet: finish(random, on), labels: digits.map(({ label }) => label) };
}

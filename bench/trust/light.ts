/** Light that is uneven or scarce, and ink that only its colour shows. */
import { between, chance, grain, integer, shade } from './canvas.ts';
import type { Kind, Rgb } from './kinds.ts';
import { clean, one } from './plain.ts';

/** The shadow of a hand or a phone: dark beyond a straight edge, hard or soft. */
export const shadow = one((random, { on }) => {
  const angle = between(random, 0, 2 * Math.PI);
  const depth = between(random, 0.25, 0.55);
  const soft = between(random, 1, 14);
  const [nx, ny] = [Math.cos(angle), Math.sin(angle)];
  const offset = between(random, -0.2, 0.2) * on.width;
  shade(on, (x, y) => {
    const away = (x - on.width / 2) * nx + (y - on.height / 2) * ny - offset;
    return 1 - depth / (1 + Math.exp(-away / soft));
  });
  return on;
});

export const gradient = one((random, { on }) => {
  const angle = between(random, 0, 2 * Math.PI);
  const [nx, ny] = [Math.cos(angle), Math.sin(angle)];
  const depth = between(random, 0.3, 0.7);
  const power = between(random, 0.7, 1.8);
  const reach = (Math.abs(nx) * on.width + Math.abs(ny) * on.height) / 2;
  shade(on, (x, y) => {
    const share = ((x - on.width / 2) * nx + (y - on.height / 2) * ny) / reach / 2 + 0.5;
    return 1 - depth * Math.min(1, Math.max(0, share)) ** power;
  });
  return on;
});

/** A photo with too little light: dark, low contrast, noisy, darker towards the corners. */
export const dark = one((random, { on }) => {
  const light = between(random, 0.18, 0.4);
  const fall = between(random, 0.2, 0.6);
  shade(on, (x, y) => {
    const away = Math.hypot(x / on.width - 0.5, y / on.height - 0.5) * 1.41;
    return light * (1 - fall * away * away);
  });
  grain(on, random, between(random, 1.5, 4));
  return on;
});

/** Ink and paper of one luminance. */
export const colour: Kind = (random, next) => {
  const made = clean(random, next);
  const pairs: readonly (readonly [Rgb, Rgb])[] = [
    [
      [240, 120, 120],
      [70, 180, 150],
    ],
    [
      [120, 190, 120],
      [200, 145, 190],
    ],
    [
      [150, 160, 230],
      [190, 155, 90],
    ],
    [
      [245, 150, 60],
      [120, 175, 240],
    ],
  ];
  const [one_, other] = pairs[integer(random, 0, pairs.length - 1)]!;
  const [paper, ink] = chance(random, 0.5) ? [one_, other] : [other, one_];
  const luminance = ([r, g, b]: Rgb) => 0.299 * r + 0.587 * g + 0.114 * b;
  const gain = luminance(paper) / luminance(ink);
  const equal = ink.map((value) => Math.min(255, value * gain)) as unknown as Rgb;
  return { ...made, colours: { paper, ink: equal } };
};

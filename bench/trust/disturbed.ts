/** What lies on paper or gets into a picture of it. */
import { between, chance, drawLine, integer, shade } from './canvas.ts';
import { one } from './plain.ts';

/** The grid of a screen's pixels against the camera's. */
export const moire = one((random, { on }) => {
  const [px, py] = [between(random, 2.3, 7), between(random, 2.3, 7)];
  const tilt = between(random, -0.3, 0.3);
  const depth = between(random, 0.05, 0.16);
  shade(on, (x, y) => {
    const [u, v] = [x + tilt * y, y - tilt * x];
    return 1 - depth * (1 + Math.sin((2 * Math.PI * u) / px) * Math.sin((2 * Math.PI * v) / py));
  });
  return on;
});

export const saltAndPepper = one(
  (random, { on }) => {
    const share = between(random, 0.01, 0.08);
    for (let i = 0; i < on.light.length; i++)
      if (chance(random, share)) on.light[i] = chance(random, 0.5) ? 0 : 255;
    return on;
  },
  undefined,
  0,
);

/** A fold: a line with a bright and a dark side, from edge to edge at any angle. */
export const crease = one((random, { on }, { paper }) => {
  const angle = between(random, 0, Math.PI);
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [on.width * between(random, 0.25, 0.75), on.height * between(random, 0.25, 0.75)];
  const reach = on.width + on.height;
  const tone = paper - between(random, 30, 110);
  drawLine(
    on,
    [x - reach * dx, y - reach * dy],
    [x + reach * dx, y + reach * dy],
    between(random, 1, 3),
    tone,
  );
  return on;
});

/** Dots of dirt beside the digit. */
export const specks = one((random, { on, form, left, top }, { tone }) => {
  const count = integer(random, 3, 14);
  for (let n = 0; n < count; ) {
    const [x, y] = [between(random, 0, on.width), between(random, 0, on.height)];
    const radius = between(random, 0.6, 0.03 * form.height + 0.6);
    const away = Math.max(left - x, x - left - form.width, top - y, y - top - form.height);
    if (away < radius + 3) continue;
    drawLine(on, [x, y], [x + 0.01, y], 2 * radius, tone + between(random, -10, 60));
    n++;
  }
  return on;
});

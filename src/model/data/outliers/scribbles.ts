/** What a pen leaves that is no character: scribbles, and the lines that cross one out. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, type Random } from '../../../lib/random.ts';
import { draw, drawFitted, type Point, type Stroke } from './strokes.ts';

/** A pen that wanders, turning as it goes; sometimes in several strokes. */
export function drawScribble(target: Uint8Array, random: Random): void {
  const strokes = Array.from({ length: uniformInt(random, 1, 3) }, () => wander(random));
  drawFitted(strokes, between(random, 1, 3.5), target);
}

/** Draws two to five lines, or a zigzag, over a character. */
export function crossOut(target: Uint8Array, random: Random): void {
  const width = between(random, 1, 3);
  if (uniformInt(random, 0, 1) === 0) return draw([zigzag(random)], width, target);
  const lines = Array.from({ length: uniformInt(random, 2, 5) }, (): Stroke => {
    const [left, right] = [between(random, 4, 8), between(random, 19, 23)];
    return [
      [left, between(random, 4, 23)],
      [right, between(random, 4, 23)],
    ];
  });
  draw(lines, width, target);
}

function wander(random: Random): Stroke {
  const points: Point[] = [[between(random, -10, 10), between(random, -10, 10)]];
  let heading = between(random, 0, 2 * Math.PI);
  let bend = between(random, -0.5, 0.5); // radians a step
  for (let step = uniformInt(random, 30, 90); step > 0; step--) {
    bend += between(random, -0.35, 0.35);
    bend *= 0.9;
    heading += bend;
    const [x, y] = points.at(-1)!;
    // Back towards the middle, lest it walk away.
    points.push([0.97 * x + 2 * Math.cos(heading), 0.97 * y + 2 * Math.sin(heading)]);
  }
  return points;
}

function zigzag(random: Random): Stroke {
  const turns = uniformInt(random, 5, 10);
  const [top, bottom] = [between(random, 4, 10), between(random, 17, 23)];
  return Array.from({ length: turns }, (_, turn) => [
    4 + (20 * turn) / (turns - 1),
    (turn % 2 === 0 ? top : bottom) + between(random, -2, 2),
  ]);
}

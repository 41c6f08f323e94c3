import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import type { Mask } from '../../../src/model/image/mask.ts';
import { findPaper, findShapes } from '../../../src/model/image/shapes.ts';

function drawn(...rows: readonly string[]): Mask {
  const pixels = Uint8Array.from(rows.join(''), (letter) => Number(letter === '#'));
  return { pixels, width: rows[0]!.length, height: rows.length };
}

function noise(width: number, height: number, share: number): Mask {
  const random = randomFor(share, `noise ${width}`);
  const pixels = Uint8Array.from({ length: width * height }, () => Number(uniformInt(random, 0, 99) < share));
  return { pixels, width, height };
}

/** The reference: spreads the least place of each shape to all its pixels until nothing changes. */
function leastPlaces({ pixels, width, height }: Mask, value: 0 | 1, withCorners: boolean): number[] {
  const places = Array.from(pixels, (pixel, i) => (pixel === value ? i : -1));
  const near = (i: number) =>
    [-1, 0, 1].flatMap((dy) =>
      [-1, 0, 1]
        .filter((dx) => withCorners || dx === 0 || dy === 0)
        .map((dx) => [(i % width) + dx, Math.floor(i / width) + dy] as const)
        .filter(([x, y]) => x >= 0 && y >= 0 && x < width && y < height)
        .map(([x, y]) => y * width + x),
    );
  for (let changes = true; changes; ) {
    changes = false;
    for (let i = 0; i < places.length; i++) {
      if (places[i] === -1) continue;
      const least = Math.min(
        ...near(i)
          .map((j) => places[j]!)
          .filter((place) => place >= 0),
      );
      changes ||= least < places[i]!;
      places[i] = least;
    }
  }
  return places;
}

describe('shapes of ink', () => {
  it('hang together by corners, come with their boxes and the largest first', () => {
    const mask = drawn('#..##', '.#...', '....#');
    const { shapes, labels } = findShapes(mask);
    expect(shapes).toEqual([
      { box: { x0: 0, y0: 0, x1: 1, y1: 1 }, pixels: 2, label: 1 },
      { box: { x0: 3, y0: 0, x1: 4, y1: 0 }, pixels: 2, label: 2 },
      { box: { x0: 4, y0: 2, x1: 4, y1: 2 }, pixels: 1, label: 3 },
    ]);
    expect([...labels]).toEqual([1, 0, 0, 2, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3]);
    expect(findShapes(mask, 2).shapes).toHaveLength(2);
  });

  it('are one where two parts meet below', () => {
    expect(findShapes(drawn('#.#.#', '#.#.#', '#####')).shapes).toHaveLength(1);
    expect(findShapes(drawn('..#..', '.#.#.', '#...#', '.#.#.')).shapes).toHaveLength(1);
  });

  it.each([10, 35, 50, 65, 90])('are those of a slow search in noise of %i %%', (share) => {
    const mask = noise(23, 17, share);
    const { labels, shapes } = findShapes(mask);
    const places = leastPlaces(mask, 1, true);
    const order = [...new Set(places.filter((place) => place >= 0))].toSorted((a, b) => a - b);
    expect([...labels]).toEqual(places.map((place) => (place < 0 ? 0 : 1 + order.indexOf(place))));
    for (const { label, pixels } of shapes)
      expect(pixels).toBe(labels.filter((other) => other === label).length);
    expect(shapes).toHaveLength(order.length);
  });
});

describe('areas of paper', () => {
  it('do not hang together by corners', () => {
    expect(findPaper(drawn('.#', '#.')).map(({ pixels }) => pixels)).toEqual([1, 1]);
  });

  it.each([35, 50])('are those of a slow search in noise of %i %%', (share) => {
    const mask = noise(23, 17, share);
    const places = leastPlaces(mask, 0, false);
    const sizes = [...new Set(places.filter((place) => place >= 0))].map(
      (first) => places.filter((place) => place === first).length,
    );
    const found = findPaper(mask).map(({ pixels }) => pixels);
    expect(found.toSorted((a, b) => a - b)).toEqual(sizes.toSorted((a, b) => a - b));
  });
});

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextPlace, type Place } from '../../web/src/models/roving.ts';

const size = 6;
/** Buttons at the crosses. */
const matrix = ['......', '.x..x.', '......', '..x...', '......', '.....x'];
const isButton = ([row, column]: Place) => matrix[row]?.[column] === 'x';
const go = (from: Place, key: string) => nextPlace(isButton, from, key, size);

it('goes to the next button in the direction of the key, in its own line first', () => {
  expect(go([1, 1], 'ArrowRight')).toEqual([3, 2]); // the next column that has one
  expect(go([1, 1], 'ArrowDown')).toEqual([3, 2]);
  expect(go([3, 2], 'ArrowUp')).toEqual([1, 1]);
  expect(go([3, 2], 'ArrowRight')).toEqual([1, 4]);
  expect(go([5, 5], 'ArrowLeft')).toEqual([1, 4]);
});

it('stays where nothing lies ahead, and with other keys', () => {
  expect(go([1, 1], 'ArrowUp')).toBeNull();
  expect(go([5, 5], 'ArrowRight')).toBeNull();
  expect(go([1, 1], 'Enter')).toBeNull();
});

it('reaches a button wherever one lies ahead, and no other place', () => {
  const place = fc.tuple(fc.nat(size - 1), fc.nat(size - 1));
  const key = fc.constantFrom('ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight');
  fc.assert(
    fc.property(fc.array(place), place, key, (buttons, [row, column], pressed) => {
      const isAhead = ([y, x]: Place) =>
        ({ ArrowUp: y < row, ArrowDown: y > row, ArrowLeft: x < column, ArrowRight: x > column })[pressed];
      const has = ([y, x]: Place) => buttons.some(([a, b]) => a === y && b === x);
      const next = nextPlace(has, [row, column], pressed, size);
      expect(next !== null && has(next) && isAhead(next)).toBe(buttons.some(isAhead));
    }),
  );
});

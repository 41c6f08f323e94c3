/** What a kind of picture is: a function from digits and chance to a sheet. */
import type { Random } from '../../src/lib/random.ts';
import type { Sheet } from './canvas.ts';

export type Digit = { readonly pixels: Uint8Array; readonly label: number };

export type Made = {
  readonly sheet: Sheet;
  readonly labels: readonly number[]; // of its characters, from left to right
  readonly colours?: { readonly paper: Rgb; readonly ink: Rgb }; // the sheet is then 255 for paper, 0 for ink
};

export type Rgb = readonly [number, number, number];

/** Draws with the next digits as often as it likes. */
export type Kind = (random: Random, next: () => Digit) => Made;

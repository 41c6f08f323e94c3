/**
 * Letters and signs that look like no digit, as pen strokes. Source: the Hershey fonts, "Roman simplex", which
 * A. V. Hershey made at the U. S. National Bureau of Standards.
 */
import { createRequire } from 'node:module';
import type { Stroke } from './strokes.ts';

type Hershey = { readonly stringToPaths: (text: string) => { readonly paths: Stroke[] } };
const { stringToPaths } = createRequire(import.meta.url)('hershey') as Hershey;

/** Without O o D I l i | S s Z z B b g q J, which some hand writes as another one does a digit. */
const glyphNames = 'ACEFGHKLMNPQRTUVWXYacdefhjkmnprtuvwxy#$%&*+=@';

export const glyphs: readonly (readonly Stroke[])[] = [...glyphNames].map(
  (name) => stringToPaths(name).paths.map((path) => path.map(([x, y]) => [x, -y] as const)), // y points down from here on
);

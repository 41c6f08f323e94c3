/** A picture's ink without what belongs to the form, the paper or the dust on it. */
import { longestOf, wholeBox } from './box.ts';
import { eraseLines } from './erase-lines.ts';
import { type FormLines, findFormLines } from './form-lines.ts';
import type { Greys } from './greys.ts';
import { type InkMap, strongestOf } from './ink-map.ts';
import { levelsAbove, type Mask, maskOf } from './mask.ts';
import { findShapes, type Shape } from './shapes.ts';
import { findLines, type Line } from './straight-lines.ts';

export type CleanInk = {
  readonly ink: Greys; // levels, 0 on paper
  readonly contrast: number;
  readonly mask: Mask; // of strong ink
  readonly labels: Int32Array; // of the shapes, by pixel
  readonly shapes: readonly Shape[]; // the largest first
  readonly removed: FormLines;
};

const faintShare = 0.16; // of the contrast: rules may be as light
const leastSide = 40; // pixels; in smaller pictures a line is as thick as a stroke
const strongShare = 0.34;

export function cleanInk(map: InkMap): CleanInk {
  const faint = Math.max(faintShare * map.contrast, Math.min(3.5 * map.noise, 0.4 * map.contrast), 8);
  const { width, height } = map.ink;
  const lines = Math.min(width, height) < leastSide ? [] : findLines(maskAbove(map.ink, faint));
  const removed = lines.length === 0 ? none : linesToRemove(map, lines);
  const ink = removed.lines.length === 0 ? map.ink : eraseLines(map.ink, removed.lines);
  const contrast = removed.lines.length === 0 ? map.contrast : Math.min(map.contrast, strongestOf(ink));
  const strong = Math.max(strongShare * contrast, Math.min(4 * map.noise, 0.6 * contrast), 8);
  const mask = maskAbove(ink, strong);
  return { ink, contrast, mask, ...findShapes(mask), removed };
}

const none: FormLines = { lines: [], hasBox: false, hasRules: false };

function linesToRemove(map: InkMap, lines: readonly Line[]): FormLines {
  const { width, height } = map.ink;
  const without = eraseLines(map.ink, lines);
  const least = Math.max(strongShare * Math.min(map.contrast, strongestOf(without)), 3.5 * map.noise, 8);
  const { shapes } = findShapes(maskAbove(without, least), 6);
  const rest = shapes.filter((shape) => longestOf(shape.box) >= 0.06 * Math.min(width, height));
  return findFormLines(lines, { width, height, rest });
}

const maskAbove = (ink: Greys, level: number) => maskOf(ink, wholeBox(ink), levelsAbove(level));

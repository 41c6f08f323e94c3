/** A picture's ink without what belongs to the form, the paper or the dust on it. */
import { longestOf, wholeBox } from './box.ts';
import { findCreases } from './creases.ts';
import { eraseLines } from './erase-lines.ts';
import { type FormLines, findFormLines } from './form-lines.ts';
import type { Greys } from './greys.ts';
import { type InkMap, strongestOf } from './ink-map.ts';
import { levelsAbove, type Mask, maskOf } from './mask.ts';
import { findShapes, type Shape } from './shapes.ts';
import { findLines } from './straight-lines.ts';

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
  const removed = linesToRemove(map);
  const ink = removed.lines.length === 0 ? map.ink : eraseLines(map.ink, removed.lines);
  const contrast = removed.lines.length === 0 ? map.contrast : Math.min(map.contrast, strongestOf(ink));
  const strong = Math.max(strongShare * contrast, Math.min(4 * map.noise, 0.6 * contrast), 8);
  const mask = maskAbove(ink, strong);
  return { ink, contrast, mask, ...findShapes(mask), removed };
}

const none: FormLines = { lines: [], hasBox: false, hasRules: false };

function linesToRemove({ ink, contrast, noise }: InkMap): FormLines {
  const shorter = Math.min(ink.width, ink.height);
  if (shorter < leastSide) return none;
  const faint = Math.max(faintShare * contrast, Math.min(3.5 * noise, 0.4 * contrast), 8);
  const mask = maskAbove(ink, faint);
  const [lines, creases] = [findLines(mask), findCreases(mask)];
  if (lines.length === 0 && creases.length === 0) return none;
  const without = eraseLines(ink, [...lines, ...creases]);
  const least = Math.max(strongShare * Math.min(contrast, strongestOf(without)), 3.5 * noise, 8);
  const { shapes } = findShapes(maskAbove(without, least), 6);
  const rest = shapes.filter((shape) => longestOf(shape.box) >= 0.06 * shorter);
  return findFormLines(lines, creases, { width: ink.width, height: ink.height, rest });
}

const maskAbove = (ink: Greys, level: number) => maskOf(ink, wholeBox(ink), levelsAbove(level));

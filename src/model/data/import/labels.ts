/** Labels and split words, as archives and tables name them. */
import { mostLabelLength } from '../labels.ts';

export type SplitName = 'train' | 'validation' | 'test';

const splitWords: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
  eval: 'test',
};

/** Reads a word in any case; null for one that names no part. */
export function splitOf(word: string): SplitName | null {
  const known = word.trim().toLowerCase();
  return Object.hasOwn(splitWords, known) ? splitWords[known]! : null;
}

/** A label in Unicode's normal form C without white space around it; null where it is empty, too long or not all visible. */
export function labelOf(text: string): string | null {
  const label = text.normalize('NFC').trim();
  const length = [...label].length;
  return length >= 1 && length <= mostLabelLength && !invisible.test(label) ? label : null;
}

/** Control characters, and those that turn text around or take no room; joiners are needed by some scripts and emoji. */
const invisible = /[\p{Cc}\p{Bidi_Control}\u200B\u2060\uFEFF]/u;

const number = /^-?\d+(?:\.\d+)?$/u;

/** Sorts by value where all are numbers, otherwise by code points. */
export function sortLabels(labels: Iterable<string>): string[] {
  const all = [...labels];
  const areNumbers = all.every((label) => number.test(label));
  return all.toSorted((a, b) =>
    areNumbers ? Number(a) - Number(b) || byCodePoints(a, b) : byCodePoints(a, b),
  );
}

/** Compares as UTF-8 would be sorted; `<` on strings compares UTF-16 units. */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

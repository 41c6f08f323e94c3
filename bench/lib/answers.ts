/** That two servers do the same: the same digits for the same pictures, and nearly all of them right. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pictures } from './pictures.ts';

/** Shares of the pictures, 0 … 1. */
export type Answers = { readonly same: number; readonly ours: number; readonly theirs: number };

/** Throws when they differ on more than 1 % of the pictures, or when either is right on less than 98.5 %. */
export async function expectSameAnswers(ours: string, theirs: string, pictures: Pictures): Promise<Answers> {
  const [a, b] = [await digitsOf(ours, pictures.small), await digitsOf(theirs, pictures.small)];
  const share = (matches: (index: number) => boolean) =>
    a.filter((_, index) => matches(index)).length / a.length;
  const same = share((index) => a[index] === b[index]);
  const right = [a, b].map((digits) => share((index) => digits[index] === pictures.labels[index]));
  const figures = [same, ...right].map((value) => `${(100 * value).toFixed(1)} %`);
  console.log(
    `same digit for ${figures[0]} of the pictures; right: Trainyard ${figures[1]}, FastAPI ${figures[2]}`,
  );
  if (same < 0.99 || Math.min(...right) < 0.985) throw new Error('expected both servers to compute the same');
  return { same, ours: right[0]!, theirs: right[1]! };
}

async function digitsOf(url: string, directory: string): Promise<number[]> {
  const digits: number[] = [];
  for (const name of (await readdir(directory)).toSorted()) {
    const body = await readFile(join(directory, name));
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${url}/predict`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    digits.push(((await response.json()) as { digit: number }).digit);
  }
  return digits;
}

/**
 * `npm run bench:trust -- --data-dir DIR`: whether the answers of the newest model in DIR can be trusted; with `--versions 3`
 * the mean of the newest three. Pictures go the way of a request, decoding and normalising included. Prints a table of real
 * MNIST test digits on made paper, photos and forms, one of what is no digit, and how far confidences hold; writes a sheet of
 * the failures. Nothing is trained on any of these pictures.
 */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readSplit } from '../src/model/data/built-in.ts';
import { type ReadDigit, readDigit } from '../src/model/image/read-digit.ts';
import { readLine } from '../src/model/image/read-line.ts';
import { warningCodes } from '../src/model/image/warnings.ts';
import type { Answer } from '../src/model/serving/answer.ts';
import { during } from './lib/progress.ts';
import { formatTable } from './lib/report.ts';
import { contactSheet, type Failure } from './trust/contact-sheet.ts';
import { otherWriters } from './trust/other-writers.ts';
import { allOutliers } from './trust/outliers.ts';
import { heldBack, kinds, picture, severalKinds } from './trust/pictures.ts';
import { openReaders, type Reader } from './trust/reader.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: process.env['DATA_DIR'] ?? 'data' },
    count: { type: 'string', default: '200' }, // pictures of each kind
    seed: { type: 'string', default: '1' },
    versions: { type: 'string', default: '1' }, // the newest ones, whose mean is shown
    kinds: { type: 'string' }, // some of them, comma-separated; without, all but those held back
    all: { type: 'boolean', default: false }, // those held back too
    outliers: { type: 'boolean', default: false }, // what is no digit as well, where `kinds` names some
    sheet: { type: 'string', default: path.join(tmpdir(), 'trust-failures.png') },
  },
});

const noAnswer: Pick<Answer, 'verdict' | 'digit' | 'warnings'> = {
  verdict: 'unknown',
  digit: -1,
  warnings: [],
};

const [count, seed] = [Number(values.count), Number(values.seed)];
const readers = await openReaders(values['data-dir'], Number(values.versions));
const test = await readSplit('mnist', 'test');
const failures: Failure[] = [];
const named = readers.map(({ version, recipe }) => `version ${version}, recipe ${recipe}`).join('; ');
console.log(`${named}; ${count} pictures of each kind, seed ${seed}`);

const kindNames =
  values.kinds?.split(',') ?? Object.keys(kinds).filter((kind) => values.all || !heldBack.includes(kind));
console.log(formatTable(await measureKinds(kindNames)));
if (values.kinds === undefined || values.outliers) {
  console.log(`\n${formatTable(await during('reading what is no digit', measureOutliers()))}\n`);
  console.log(formatTable(await during('reading the test images', measureConfidence())));
}
const rows = await contactSheet(failures, values.sheet);
console.log([`failures, in rows from above: ${values.sheet}`, ...rows].join('\n'));

/** Measures each kind. An answer about several digits is right if its verdict is `unsure` or `unknown`. */
async function measureKinds(names: readonly string[]): Promise<string[][]> {
  const table = [['% of', 'right', 'unknown', 'unsure', 'no ink', 'as line', ...warningCodes.map(shortened)]];
  for (const kind of names) table.push(await during(`reading ${kind}`, measureKind(kind)));
  return table;
}

async function measureKind(kind: string): Promise<string[]> {
  const seen = { right: 0, unknown: 0, unsure: 0, noInk: 0, line: 0 };
  const warned = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { bytes, labels } = await picture(test, kind, i, seed);
    const [one, line] = [await readDigit(bytes), await readLine(bytes)];
    for (const reader of readers) {
      const read = reader.read(one);
      const text = await reader.readLine(line);
      const { verdict, digit = -1, warnings } = read?.answer ?? noAnswer;
      for (const { code } of warnings) warned.set(code, (warned.get(code) ?? 0) + 1);
      const isRight = labels.length === 1 ? digit === labels[0] : verdict !== 'known';
      if (!read) seen.noInk++;
      if (verdict === 'unsure') seen.unsure++;
      if (verdict === 'unknown') seen.unknown++;
      if (isRight && (verdict !== 'unknown' || labels.length > 1)) seen.right++;
      if (text === labels.join('')) seen.line++;
      if (!isRight || text !== labels.join('')) {
        const told = `${i}:${labels.join('')}→${digit < 0 ? '-' : digit} ${text}`;
        failures.push({ kind, bytes, pixels: read?.pixels ?? null, text: told });
      }
    }
  }
  const all = count * readers.length;
  const judged = severalKinds.includes(kind) ? all : all - seen.unknown;
  const shares = [seen.unknown, seen.unsure, seen.noInk, seen.line].map((n) => percent(n, all));
  const codes = warningCodes.map((code) => percent(warned.get(code) ?? 0, all));
  return [kind, percent(seen.right, judged), ...shares, ...codes];
}

async function measureOutliers(): Promise<string[][]> {
  const table = [['% of what is no digit', 'unknown', 'unsure', 'known']];
  for (const { name, pictures, missing } of await allOutliers(count, seed)) {
    if (missing !== undefined) {
      table.push([`${name} (${missing})`, '–', '–', '–']);
      continue;
    }
    const verdicts = { unknown: 0, unsure: 0, known: 0 };
    for (const bytes of pictures) {
      const one = await readDigit(bytes);
      for (const reader of readers) {
        const read = reader.read(one);
        const { verdict, digit } = read?.answer ?? noAnswer;
        verdicts[verdict]++;
        if (verdict === 'known') failures.push({ kind: name, bytes, pixels: read!.pixels, text: `${digit}` });
      }
    }
    const all = pictures.length * readers.length;
    const shares = [verdicts.unknown, verdicts.unsure, verdicts.known];
    table.push([`${name} (${pictures.length})`, ...shares.map((n) => percent(n, all))]);
  }
  return table;
}

/** Over the whole test set, as it is, and over digits of other writers. */
async function measureConfidence(): Promise<string[][]> {
  const others = await otherWriters();
  if (!others) console.log('other writers: not here (apt-get install python3-sklearn)');
  const read = await Promise.all((others ?? []).map(({ bytes }) => readDigit(bytes)));
  const labels = (others ?? []).map(({ label }) => label);
  const measured = readers.map((reader) => [...ofTestImages(reader), ...ofOthers(reader, read, labels)]);
  const mean = measured[0]!.map((_, i) => measured.reduce((sum, row) => sum + row[i]!, 0) / readers.length);
  const line = (name: string, figures: readonly number[]) => [name, ...figures.map((n) => n.toFixed(2))];
  return [
    ['%', 'MNIST test right', 'calibration error', 'false alarms', 'other writers right', 'unknown'],
    ...measured.map((row, i) => line(`version ${readers[i]!.version}`, row)),
    line('mean', mean),
  ];
}

function ofTestImages(reader: Reader): number[] {
  const answers = reader.readImages(test.images);
  const { ece } = reader.reliabilityOf(test.images, test.labels);
  const right = answers.filter(({ digit }, i) => digit === test.labels[i]).length;
  const alarms = answers.filter(({ verdict }) => verdict === 'unknown').length;
  return [share(right, test.count), 100 * ece, share(alarms, test.count)];
}

function ofOthers(reader: Reader, pictures: readonly ReadDigit[], labels: readonly number[]): number[] {
  const answers = pictures.map((one) => reader.read(one)?.answer ?? noAnswer);
  const right = answers.filter(({ digit }, i) => digit === labels[i]).length;
  const unknown = answers.filter(({ verdict }) => verdict === 'unknown').length;
  return [share(right, labels.length), share(unknown, labels.length)];
}

function share(part: number, of: number): number {
  return (100 * part) / Math.max(1, of);
}

function percent(part: number, of: number): string {
  return share(part, of).toFixed(2);
}

function shortened(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

/**
 * `npm run bench:trust -- --data-dir DIR`: how well pictures of every kind are read. Real MNIST test digits on made paper,
 * photos and forms go the way of a request, decoding and normalising included, to the newest model in DIR. Prints one
 * table and writes a sheet of the failures.
 */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readSplit } from '../src/model/data/dataset.ts';
import { choosePieces } from '../src/model/image/choose-pieces.ts';
import { readDigit } from '../src/model/image/read-digit.ts';
import { readLine } from '../src/model/image/read-line.ts';
import { indexOfMaximum } from '../src/model/training/logits.ts';
import { contactSheet, type Failure } from './trust/contact-sheet.ts';
import { heldBack, kinds, picture } from './trust/pictures.ts';
import { openReader } from './trust/reader.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: process.env['DATA_DIR'] ?? 'data' },
    count: { type: 'string', default: '200' }, // pictures of each kind
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string' }, // some of them, comma-separated; without, all but those held back
    all: { type: 'boolean', default: false }, // those held back too
    sheet: { type: 'string', default: path.join(tmpdir(), 'trust-failures.png') },
  },
});

const codes = [
  'SEVERAL_SHAPES',
  'FRAME_REMOVED',
  'RULES_REMOVED',
  'TOUCHES_EDGE',
  'LOW_CONTRAST',
  'LOW_RESOLUTION',
];
const reader = await openReader(values['data-dir']);
const test = await readSplit('mnist', 'test');
const kindsToMeasure =
  values.kinds?.split(',') ?? Object.keys(kinds).filter((kind) => values.all || !heldBack.includes(kind));
const failures: Failure[] = [];
console.log(`model ${reader.version}; ${values.count} pictures of each kind, seed ${values.seed}`);
console.log(
  ['kind'.padEnd(16), 'right', 'no ink', 'as line', ...codes.map((code) => code.toLowerCase()), 'ms'].join(
    '  ',
  ),
);
for (const kind of kindsToMeasure) await measure(kind);
const rows = await contactSheet(failures, values.sheet);
console.log([`failures, in rows from above: ${values.sheet}`, ...rows].join('\n'));

async function measure(kind: string): Promise<void> {
  let [right, noInk, lineRight, ms] = [0, 0, 0, 0];
  const flagged = new Map<string, number>();
  const count = Number(values.count);
  for (let i = 0; i < count; i++) {
    const { bytes, labels } = await picture(test, kind, i, Number(values.seed));
    const startedAt = performance.now();
    const read = await readDigit(bytes);
    ms += performance.now() - startedAt;
    if (read.ok) for (const { code } of read.warnings ?? []) flagged.set(code, (flagged.get(code) ?? 0) + 1);
    const digit = read.ok ? reader.read(read.pixels) : null;
    if (digit === null) noInk++;
    const isRight = labels.length === 1 ? digit === labels[0] : flagsSeveral(read);
    const text = await lineOf(bytes);
    if (text === labels.join('')) lineRight++;
    if (isRight) right++;
    if (!isRight || text !== labels.join(''))
      failures.push({
        kind,
        bytes,
        pixels: read.ok ? read.pixels : null,
        text: `${i}:${labels.join('')}→${digit ?? '-'} ${text}`,
      });
  }
  const share = (n: number, width: number) => ((100 * n) / count).toFixed(1).padStart(width);
  const columns = codes.map((code) => share(flagged.get(code) ?? 0, code.length));
  console.log(
    [
      kind.padEnd(16),
      share(right, 5),
      share(noInk, 6),
      share(lineRight, 7),
      ...columns,
      (ms / count).toFixed(1),
    ].join('  '),
  );
}

async function lineOf(bytes: Buffer): Promise<string> {
  const line = await readLine(bytes);
  if (!line.ok) return '';
  const chosen = choosePieces(line.line, reader.probabilities, (probabilities) => Math.max(...probabilities));
  return chosen.map(({ score }) => indexOfMaximum(score, 0, score.length)).join('');
}

/** Several digits have no one answer: right is to say so. */
function flagsSeveral(read: Awaited<ReturnType<typeof readDigit>>): boolean {
  return read.ok && (read.warnings ?? []).some(({ code }) => code === 'SEVERAL_SHAPES');
}

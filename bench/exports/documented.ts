/** The programs in Python of docs/exports.md, run as they stand there on the exported files. */
import { documentedPrograms } from '../../harness/documented.ts';
import { imageSide, imageSize } from '../../src/model/data/dataset.ts';
import { lastLineOf } from '../lib/measure.ts';
import { during } from '../lib/progress.ts';
import type { Verdict } from '../lib/report.ts';

/** The image that the programs read, in greys of 0 … 255: a stroke from top to bottom. */
export const stroke = Uint8Array.from({ length: imageSize }, (_, i) => {
  const [x, y] = [i % imageSide, Math.floor(i / imageSide)];
  return x === 14 && y >= 5 && y < 23 ? 255 : 0;
});

type Expected = { readonly label: string; readonly probability: number };

/** `directory` has the files as mnist-3.onnx and so on. Throws when a program fails or prints another label. */
export async function runDocumented(
  python: string,
  directory: string,
  expected: Expected,
): Promise<Verdict[]> {
  const programs = await documentedPrograms('exports.md');
  const verdicts: Verdict[] = [];
  for (const [name, code] of programs) {
    if (!name.startsWith('python ')) continue;
    const program = { program: python, args: ['-c', code], cwd: directory };
    const [label, probability] = (await during(name, lastLineOf(program))).split(' ');
    if (label !== expected.label)
      throw new Error(`docs/exports.md, ${name}: expected label ${expected.label}, got ${label}`);
    const value = 1e6 * Math.abs(Number(probability) - expected.probability);
    const what = `docs/exports.md, ${name}: difference of the probability`;
    verdicts.push({ what, value, bar: 10, better: 'less', unit: ' × 10⁻⁶' });
  }
  return verdicts;
}

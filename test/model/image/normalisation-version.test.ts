/** Remembers what becomes of some pictures: where that changes, the version of the normalisation must change with it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { normalisationVersion } from '../../../src/model/image/normalisation-version.ts';
import { normalise } from '../../../src/model/image/normalise.ts';
import { fitWhole } from '../../../src/model/image/whole-picture.ts';
import { blank, digitPicture, drawLine, enlarged, inkOf, inverted, placed, testDigits } from './pictures.ts';

const digits = testDigits(12, 700).map(digitPicture);
const pictures = [
  ...digits,
  ...digits.map((digit) => enlarged(digit, 3)),
  ...digits.map((digit, i) => inverted(placed(enlarged(digit, 2), 150 + 7 * i, 90, 3 * i, i))),
  ...[0, 700, 1400].map((index) => inkOf(index, 1)),
  ...[0, 700, 1400].map((index) => onRules(index)),
];

/** Ink on ruled paper. */
function onRules(index: number) {
  const page = placed(inkOf(index, 4), 200, 180, 40, 30);
  for (const y of [20, 80, 140]) drawLine(page, [0, y], [199, y], 2, 120);
  return inverted(page);
}

it('changes where a picture becomes other pixels', () => {
  const hash = createHash('sha256');
  for (const picture of pictures) {
    hash.update(normalise(picture) ?? 'no ink');
    hash.update(fitWhole(picture));
  }
  expect(normalise(blank(40, 40))).toBeNull();
  // If this fails, raise normalisationVersion and write both here.
  expect([normalisationVersion, hash.digest('hex').slice(0, 16)]).toEqual([1, '2930a85aedcf0d2d']);
});

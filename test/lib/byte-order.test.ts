import { expect, it } from 'vitest';
import { expectLittleEndian } from '../../src/lib/byte-order.ts';

it('refuses a machine that would misread the files, and says so', () => {
  expect(() => expectLittleEndian('BE')).toThrow(/^expected a little-endian machine .*got a big-endian one/);
  expect(() => expectLittleEndian()).not.toThrow();
});

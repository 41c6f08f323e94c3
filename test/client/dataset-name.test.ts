import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { datasetNameOf } from '../../src/client/index.ts';

it.each([
  ['letters.zip', 'letters'],
  ['My Letters (2).tar.gz', 'my-letters-2'],
  ['Größe.TGZ', 'gro-e'],
  ['2024 stamps.tar', 'stamps'],
  ['буквы.zip', ''],
  [`${'long-'.repeat(20)}.zip`, 'long-'.repeat(13).slice(0, 63)],
])('the file %s makes the data set %s', (file, name) => {
  expect(datasetNameOf(file)).toBe(name);
});

it('is a name that the server takes, or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (file) => {
      expect(datasetNameOf(file)).toMatch(/^(?:[a-z][a-z0-9-]{0,62})?$/);
    }),
  );
});

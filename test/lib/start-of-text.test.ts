import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { startOfText } from '../../src/lib/start-of-text.ts';

it.each([
  ['a short text', 'abc', 80, 'abc'],
  ['a long text', 'a'.repeat(81), 80, 'a'.repeat(80)],
  ['a character that ends at the cut', `${'a'.repeat(78)}😀b`, 80, `${'a'.repeat(78)}😀`],
  ['a character across the cut', `${'a'.repeat(79)}😀`, 80, 'a'.repeat(79)],
  ['two characters across the cut', `${'a'.repeat(77)}😀😀`, 80, `${'a'.repeat(77)}😀`],
  ['half a character', 'a\uD83Db\uDE00c', 80, 'a\uFFFDb\uFFFDc'],
  ['half a character at the cut', `a\uD83D`, 2, 'a\uFFFD'],
  ['nothing', '', 80, ''],
])('shortens %s', (_name, text, most, expected) => {
  expect(startOfText(text, most)).toBe(expected);
});

it('is well-formed for any text and any cut', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((all) => String.fromCharCode(...all));
  const texts = fc.oneof(units, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(texts, fc.nat(20), (text, most) => {
      const start = startOfText(text, most);
      expect(() => encodeURI(start)).not.toThrow();
      expect(start.length).toBeLessThanOrEqual(most);
      expect(startOfText(text, text.length)).toBe(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
    }),
  );
});

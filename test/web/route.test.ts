import { expect, it } from 'vitest';
import { pairsOf, parseRoute, testImageHash } from '../../web/src/route.ts';

it('names the model and the test image', () => {
  expect(pairsOf(parseRoute(testImageHash('letters', 'kana', 3)))).toEqual({
    model: 'letters',
    dataset: 'kana',
    test: '3',
  });
});

it('names a test image of the usual model as it always did', () => {
  expect(pairsOf(parseRoute('#draw/test/12'))).toEqual({ test: '12' });
  expect(pairsOf(parseRoute('#draw/test'))).toStrictEqual({});
  expect(pairsOf(parseRoute('#draw'))).toEqual({});
});

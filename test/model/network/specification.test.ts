import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildNetwork,
  initialWeights,
  labelCountOf,
  parameterCount,
  parametersOf,
} from '../../../src/model/network/network.ts';
import { networkNames, networkSpecification } from '../../../src/model/network/specification.ts';

const convolution = (filters: number, kernelSize: number, pool?: number) => {
  return { kind: 'convolution' as const, filters, kernelSize, ...(pool && { pool }) };
};
const dense = (units: number) => ({ kind: 'dense' as const, units });
const problemOf = (layers: readonly object[]) => {
  const { error } = networkSpecification.safeParse({ layers });
  return error ? JSON.stringify(error.issues) : null;
};

describe('a network', () => {
  it.each(networkNames)('named "%s" ends in as many logits as there are labels', (name) => {
    for (const labels of [2, 26, 1000]) {
      expect(labelCountOf(buildNetwork(name, labels))).toBe(labels);
      expect(parametersOf(buildNetwork(name, labels)).at(-1)!.shape).toEqual([labels]);
    }
  });

  it('named "article" is the article’s', () => {
    expect(parameterCount(buildNetwork('article', 10))).toBe(121_514);
  });

  it('has names that differ, whatever its layers, and weights for all of its parameters', () => {
    const layer = fc.record({
      kind: fc.constant('convolution' as const),
      filters: fc.integer({ min: 1, max: 4 }),
      kernelSize: fc.constantFrom(1, 3, 5),
    });
    const hidden = fc.record({ kind: fc.constant('dense' as const), units: fc.integer({ min: 1, max: 9 }) });
    const layers = fc.tuple(
      fc.array(layer, { minLength: 1, maxLength: 3 }),
      fc.array(hidden, { maxLength: 2 }),
    );
    fc.assert(
      fc.property(layers, fc.integer({ min: 2, max: 9 }), ([first, last], labels) => {
        const specification = networkSpecification.parse({ layers: [...first, ...last] });
        const network = buildNetwork(specification, labels);
        const names = parametersOf(network).map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        expect(initialWeights(network, 1)).toHaveLength(parameterCount(network));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a network by its layers', () => {
  it.each([
    ['no layers', [], 'too_small'],
    ['thirteen layers', Array.from({ length: 13 }, () => convolution(1, 1)), 'too_big'],
    ['an even kernel', [convolution(8, 4)], 'expected an odd size'],
    [
      'a convolution after a dense layer',
      [dense(8), convolution(8, 3)],
      'no convolution after a dense layer',
    ],
    [
      'a pool larger than the image',
      [convolution(2, 3, 7), convolution(2, 3, 2), convolution(2, 3, 3)],
      'at most 2, the side of the image here',
    ],
    ['too many parameters', [dense(4096)], 'at most 2000000 parameters'],
    ['batchNorm that is no boolean', [{ ...convolution(2, 3), batchNorm: 1 }], 'batchNorm'],
    ['batchNorm of a dense layer', [{ ...dense(8), batchNorm: true }], 'batchNorm'],
    ['an unknown kind', [{ kind: 'attention', heads: 8 }], 'kind'],
    ['another field', [{ ...dense(8), bias: false }], 'bias'],
  ])('is refused with %s', (_what, layers, said) => {
    expect(problemOf(layers)).toContain(said);
  });

  it.each([
    [[dense(8), convolution(8, 3)]],
    [[convolution(2, 3, 7), convolution(2, 3, 2), convolution(2, 3, 3)]],
    [[dense(4096)]],
  ])('leaves it to the answer to say what came', (layers) => {
    expect(problemOf(layers)).not.toContain('got');
  });

  it('counts the scale of batch normalisation, one for each filter', () => {
    const plain = convolution(8, 3, 2);
    const [without, off, on] = [{}, { batchNorm: false }, { batchNorm: true }].map((change) =>
      buildNetwork({ layers: [{ ...plain, ...change }] }, 10),
    );
    expect(parameterCount(off!)).toBe(parameterCount(without!));
    expect(parameterCount(on!)).toBe(parameterCount(without!) + 8);
    const kernel = 9 * 8;
    const weights = initialWeights(on!, 1);
    expect(weights.subarray(0, kernel)).toEqual(initialWeights(without!, 1).subarray(0, kernel));
    expect([...weights.subarray(kernel, kernel + 16)]).toEqual([...Array(8).fill(0), ...Array(8).fill(1)]); // β, γ
    const layers = (batchNorm: boolean) => [convolution(438, 1), { ...convolution(507, 3), batchNorm }];
    expect(problemOf(layers(false))).toBeNull(); // 1,999,977 parameters
    expect(problemOf(layers(true))).toContain(
      'at most 2000000 parameters in all, not the 2000484 up to here',
    );
  });

  it('is taken up to the limits', () => {
    expect(problemOf([convolution(512, 11, 7)])).toBeNull();
    expect(problemOf([dense(2500)])).toBeNull(); // 1,962,500 parameters
    expect(problemOf(Array.from({ length: 12 }, () => convolution(1, 1)))).toBeNull();
  });
});

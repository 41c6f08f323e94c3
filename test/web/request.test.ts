import { describe, expect, it } from 'vitest';
import { checkRequest, initial, rangeOf, schemaOf } from '../../web/src/train/request.ts';

const limitedOrNull = { anyOf: [{ type: 'integer', minimum: 1, maximum: 60_000 }, { type: 'null' }] };
const properties = {
  epochs: { type: 'integer', minimum: 1, maximum: 1000 },
  learningRate: { type: 'number', exclusiveMinimum: 0, maximum: 1000 },
  schedule: { type: 'string', enum: ['constant', 'oneCycle'] },
  shuffle: { type: 'boolean' },
  trainImages: { description: 'Only the first so many', ...limitedOrNull },
  testImages: { default: null, ...limitedOrNull },
  seed: { type: 'integer', minimum: 0, maximum: 4_294_967_295, default: 1 },
};
const schema = schemaOf({ components: { schemas: { TrainRequest: { properties } } } });
const recipe = {
  name: 'fast',
  epochs: 1,
  learningRate: 0.003,
  schedule: 'oneCycle',
  shuffle: true,
  trainImages: null,
};
const check = (changes: Parameters<typeof checkRequest>[1]) => checkRequest(recipe, changes, schema);

describe('the schema of the form', () => {
  it('has the limits of a value that may be null as well', () => {
    expect(schema['trainImages']).toMatchObject({
      empty: 'all',
      minimum: 1,
      description: 'Only the first so many',
    });
  });

  it('is empty for a document without the request', () => {
    expect(schemaOf({ components: { schemas: {} } })).toEqual({});
  });

  it('says ranges in words', () => {
    expect(rangeOf(schema['epochs']!)).toBe('a whole number from 1 to 1000');
    expect(rangeOf(schema['learningRate']!)).toBe('a number above 0, at most 1000');
    expect(rangeOf(schema['trainImages']!)).toBe('a whole number from 1 to 60000, or nothing for all');
  });

  it('starts with the values of the recipe, and with defaults where it has none', () => {
    expect(initial(recipe, 'epochs', schema)).toBe(1);
    expect(initial(recipe, 'trainImages', schema)).toBeNull();
    expect(initial(recipe, 'seed', schema)).toBe(1);
  });
});

describe('the request of a form', () => {
  it('has only what differs from the recipe', () => {
    const changes = { epochs: '3', learningRate: '0.003', schedule: 'oneCycle', shuffle: false, seed: '1' };
    expect(check(changes)).toEqual({ ok: true, body: { epochs: 3, shuffle: false } });
    expect(check({})).toEqual({ ok: true, body: {} });
  });

  it('takes an empty field for all images', () => {
    expect(check({ trainImages: ' ', testImages: '' })).toEqual({ ok: true, body: {} });
    expect(check({ trainImages: '500' })).toEqual({ ok: true, body: { trainImages: 500 } });
  });

  it.each([
    ['epochs', '0'],
    ['epochs', '1001'],
    ['epochs', '1.5'],
    ['epochs', ''],
    ['epochs', 'many'],
    ['learningRate', '0'],
    ['learningRate', '-1'],
    ['trainImages', '60001'],
  ])('refuses %s of "%s" at that field', (field, typed) => {
    const checked = check({ [field]: typed });
    expect(checked).toMatchObject({
      ok: false,
      errors: [{ field, message: expect.stringContaining('Expected') }],
    });
  });
});

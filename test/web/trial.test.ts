import { describe, expect, it } from 'vitest';
import { checkRequest, schemaOf } from '../../web/src/train/request.ts';
import { trialOf } from '../../web/src/train/trial.ts';

const properties = {
  epochs: { type: 'integer', minimum: 1, maximum: 1000 },
  otherHands: { type: 'number', minimum: 0, maximum: 1 },
  outliers: { type: 'number', minimum: 0, maximum: 4 },
  corrections: { anyOf: [{ type: 'boolean' }, { type: 'string' }], default: false },
  model: { type: 'string', pattern: '^(?!constructor$)[a-z][a-z0-9-]{0,62}$' },
};
const schema = schemaOf({ components: { schemas: { TrainRequest: { properties } } } });
const recipe = { epochs: 1, otherHands: 0, outliers: 0.25 };
const trial = (changes: Record<string, string | boolean>, model?: string, known = schema) => {
  const asked = { dataset: 'letters', ...(model !== undefined && { model }) };
  return trialOf(asked, recipe, changes, checkRequest(recipe, changes, schema), known);
};

describe('what the form asks before a training', () => {
  it('has what differs from the recipe', () => {
    expect(trial({ epochs: '3', outliers: '0.5' }, 'signs')).toEqual({
      dataset: 'letters',
      model: 'signs',
      epochs: 3,
      outliers: 0.5,
    });
  });

  it('leaves corrections out, of which the server would freeze a set', () => {
    expect(trial({ corrections: true })).toEqual({ dataset: 'letters' });
  });

  it('is nothing that the server would refuse', () => {
    expect(trial({ epochs: '0' })).toBeNull();
    expect([trial({}, 'Signs'), trial({}, 'constructor')]).toEqual([null, null]);
    expect(trial({}, 'signs', {})).toBeNull(); // the schema is not known yet
    expect(trial({ otherHands: '0.1' })).toBeNull(); // the recipe has none for this data set
    expect(trial({ otherHands: '0' })).toEqual({ dataset: 'letters' });
  });
});

import { describe, expect, it } from 'vitest';
import type { Promotion } from '../../src/client/index.ts';
import { decisionOf, explainDecision } from '../../web/src/train/promotion.ts';

const kept: Promotion = {
  decision: 'kept',
  version: 3,
  champion: 2,
  against: 1,
  onlyCandidate: 11,
  onlyChampion: 267,
  p: 1e-9,
  accuracy: 0.8536,
  accuracyAgainst: 0.9924,
  reason: 'significantly worse than model 1',
};
const first = { against: null, onlyCandidate: null, onlyChampion: null, p: null } as const;
const promoted: Promotion = {
  ...kept,
  ...first,
  decision: 'promoted',
  accuracy: null,
  accuracyAgainst: null,
  reason: 'the first version of this model',
};
const held: Promotion = { ...kept, decision: 'held', reason: 'the job asked for no promotion' };

describe('what was decided about a version', () => {
  it.each([
    [kept, 'kept back: 85.36 % against 99.24 %'],
    [promoted, 'promoted'],
    [held, 'not promoted: 85.36 % against 99.24 %'],
  ])('$decision in a cell', (promotion, words) => {
    expect(decisionOf(promotion).replace(/\s/g, ' ')).toBe(words);
  });

  it.each([
    [kept, 'Version 3 was kept back, version 2 goes on answering: significantly worse than model 1.'],
    [promoted, 'Version 3 was promoted: the first version of this model.'],
    [held, 'Version 3 was not promoted, version 2 goes on answering: the job asked for no promotion.'],
  ])('$decision in a sentence', (promotion, words) => {
    expect(explainDecision(promotion)).toBe(words);
  });
});

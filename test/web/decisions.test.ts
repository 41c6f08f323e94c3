import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/client/index.ts';
import { wordsOf } from '../../web/src/models/decisions.ts';

const comparison = {
  against: 1,
  images: 10_000,
  accuracy: 0.8536,
  accuracyAgainst: 0.9924,
  onlyCandidate: 12,
  onlyChampion: 1400,
  p: 1e-300,
};

describe('a decision in words', () => {
  it.each<[string, Partial<Decision>]>([
    ['champion is 1', { action: 'promoted', from: null, to: 1 }],
    ['champion is 4', { action: 'adopted', from: null, to: 4 }],
    ['champion 1 → 2', { action: 'promoted', from: 1, to: 2 }],
    ['champion 2 → 1, rolled back', { action: 'rolledBack', from: 2, to: 1 }],
    ['champion 2 → 1, replaced', { action: 'replaced', from: 2, to: 1 }],
    ['challenger 2 → 3', { action: 'moved', alias: 'challenger', from: 2, to: 3 }],
    ['challenger removed, was 3', { action: 'removed', alias: 'challenger', from: 3 }],
    ['3 kept back: 85.36 % against 99.24 %', { action: 'kept', from: 1, to: 3, comparison }],
    ['3 not promoted: 85.36 % against 99.24 %', { action: 'held', from: 1, to: 3, comparison }],
    ['3 not promoted', { action: 'held', from: 1, to: 3 }],
    [
      'traffic: champion 90 %, challenger 10 %',
      { action: 'traffic', alias: null, traffic: { champion: 90, challenger: 10 } },
    ],
    ['traffic: champion 100 %', { action: 'traffic', alias: null }],
  ])('%s', (words, decision) => {
    expect(wordsOf(decided(decision)).replace(/\s/g, ' ')).toBe(words);
  });
});

function decided(decision: Partial<Decision>): Decision {
  const at = '2026-01-01T00:00:00.000Z';
  const nothing = { from: null, to: null, comparison: null, traffic: null, by: 'job 1', reason: '' };
  return { number: 1, model: 'mnist', at, action: 'moved', alias: 'champion', ...nothing, ...decision };
}

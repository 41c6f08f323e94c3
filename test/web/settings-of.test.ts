import { expect, it } from 'vitest';
import type { Job } from '../../src/client/index.ts';
import { settingsOf, subjectOf } from '../../web/src/train/settings-of.ts';

const request = {
  model: 'letters',
  dataset: 'kana',
  network: 'article',
  epochs: 1,
  passes: 1,
  patience: null,
  batchSize: 64,
  learningRate: 0.0035,
  trainImages: null,
  seed: 1,
} as Job['request'];

it('names the model, the data set and the network', () => {
  expect(subjectOf({ request })).toBe('Model letters, from data set kana by network article');
  const network = { layers: [{ kind: 'dense', units: 32 }] } satisfies Job['request']['network'];
  expect(subjectOf({ request: { ...request, network } })).toMatch(/by network of 2 layers$/);
});

it('says which pictures a data set had that was imported', () => {
  const datasetSha256 = `0123456789ab${'c'.repeat(52)}`;
  expect(subjectOf({ request, datasetSha256 })).toBe(
    'Model letters, from data set kana (SHA-256 01234567…) by network article',
  );
});

it('says one epoch of all images', () => {
  expect(settingsOf({ request })).toBe('1 epoch of all images, batches of 64, learning rate 0.0035, seed 1');
});

it('says passes and patience', () => {
  const small = { ...request, epochs: 12, passes: 80, patience: 4, trainImages: 1000 };
  expect(settingsOf({ request: small })).toBe(
    'up to 12 epochs of 80 passes through 1,000 images, batches of 64, learning rate 0.0035, seed 1, ends after 4 epochs without a gain',
  );
});

import { expect, it } from 'vitest';
import { modelCard } from '../../../src/model/export/card.ts';
import { describeVersion } from '../../../src/model/export/description.ts';
import { normalisationVersion } from '../../../src/model/image/normalisation-version.ts';
import { cases, publishedModel } from './exported.ts';

it('has what the manifest has, and only that', async () => {
  const { manifest } = await publishedModel('small', {
    calibration: cases[1]![2].calibration!,
    dataset: { name: 'letters', sha256: { train: 'abc' } },
    test: { set: 'def', images: 100 },
    gitCommit: 'a1b2c3',
  });
  const card = modelCard(manifest);
  expect(card).toMatch(/^# letters, version 1\n/);
  for (const part of ['Input and output', 'Data', 'Recipe', 'Accuracy', 'Calibration', 'Limits', 'Checksums'])
    expect(card).toContain(`\n## ${part}\n`);
  expect(card).toContain('- `train`: SHA-256 `abc`');
  expect(card).toContain('The version reads 10.00 % of 100 test images right. Its loss is 2.3');
  expect(card).toContain('Fitted on 500 training images that were held back');
  expect(card).toContain('is below 0.6,');
  expect(card).toContain('commit of the program `a1b2c3`');
  expect(card).toContain(`in the form \`ink\`, in version ${normalisationVersion} of the normalisation;`);
  expect(card).not.toMatch(/undefined|NaN|null/);
});

it('says of an older version what is not recorded', async () => {
  const { normalisationVersion: _, ...older } = (await publishedModel('article')).manifest;
  const card = modelCard(older);
  expect(card).toContain('in a version of the normalisation that is not recorded;');
  expect(describeVersion(older)).not.toHaveProperty('normalisationVersion');
  expect(card).toContain('None: the version was trained without. Temperature 1.');
  expect(card).toContain('How many images it was tested on is not recorded.');
  expect(card).toContain('commit of the program not known');
  expect(card).not.toMatch(/undefined|NaN|null|is below/);
});

it('holds any label in its block', async () => {
  const labels = ['```', '# a\n```\n', '|'];
  const card = modelCard((await publishedModel('small', { labels })).manifest);
  expect(card).toContain(`\n${JSON.stringify(labels)}\n`);
  expect(card.match(/^```/gm)).toHaveLength(6);
});

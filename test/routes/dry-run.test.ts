import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetDescription } from '../../src/model/data/dataset.ts';
import { otherLabels, warningsAbout } from '../../src/routes/dry-run.ts';
import { importZip, manifestOf, pictures } from '../model/data/import/importing.ts';
import { type Parts, startParts } from './parts.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

const tryOut = async (payload: object) =>
  (await parts.app.inject({ method: 'POST', url: '/jobs/train?dryRun=true', payload })).json();
const jobs = async () => (await parts.app.inject('/jobs')).json<{ data: unknown[] }>().data.length;

describe('POST /jobs/train?dryRun=true', () => {
  it('answers with every value resolved, and queues nothing', async () => {
    const answer = await tryOut({ epochs: 3, network: 'small' });
    expect(answer).toMatchObject({
      request: { recipe: 'default', dataset: 'mnist', network: 'small', epochs: 3, passes: 1, seed: 1 },
      forecast: null, // no job has run
      warnings: [],
    });
    expect(await jobs()).toBe(0);
  });

  it('refuses corrections where there are none, as a job would', async () => {
    expect(await tryOut({ corrections: true })).toMatchObject({ status: 409, code: 'NO_CORRECTIONS' });
  });

  it('refuses what a job would be refused for', async () => {
    expect(await tryOut({ dataset: 'runes' })).toMatchObject({ status: 404, code: 'DATASET_NOT_FOUND' });
    expect(await tryOut({ epochs: 0 })).toMatchObject({ status: 400, errors: [{ field: 'epochs' }] });
    const response = await parts.app.inject({ method: 'POST', url: '/jobs/train?dryRun=perhaps' });
    expect(response.json()).toMatchObject({ status: 400, errors: [{ field: 'dryRun' }] });
    expect(await jobs()).toBe(0);
  });
});

describe('a dry run on an imported set', () => {
  beforeAll(async () => {
    const entries = [...pictures('a', 20), ...pictures('b', 20, 20)]; // 32 to train on, 8 to test with
    manifestOf(await importZip(entries, { dataDir: parts.dataDir, name: 'letters', form: 'ink' }));
  });

  it('warns of a model that answers with other labels', async () => {
    await parts.publishAndServe(); // of model mnist
    const codes = async (payload: object) =>
      (await tryOut(payload)).warnings.map(({ code }: { code: string }) => code);
    expect(await codes({ dataset: 'letters', model: 'mnist' })).toContain('MODEL_LABELS_DIFFER');
    expect(await codes({ dataset: 'letters' })).not.toContain('MODEL_LABELS_DIFFER');
    expect(await codes({})).not.toContain('MODEL_LABELS_DIFFER');
  });

  it('takes no more images than there are', async () => {
    const answer = (payload: object) => tryOut({ dataset: 'letters', ...payload });
    expect(await answer({ trainImages: 32 })).toMatchObject({ request: { trainImages: 32 } });
    expect(await answer({ recipe: 'fast' })).toMatchObject({ request: { trainImages: null } });
    expect(await answer({ trainImages: 33 })).toMatchObject({
      status: 400,
      errors: [{ field: 'trainImages', message: expect.stringContaining('expected at most 32') }],
    });
    expect(await answer({ testImages: 100 })).toMatchObject({
      status: 400,
      errors: [{ field: 'testImages', message: expect.stringContaining('expected at most 8') }],
    });
  });
});

const all = { trainImages: null, testImages: null, balance: false };

describe('a warning', () => {
  const codesFor = (train: number[], tests = 200) => {
    const labels = train.map((_, i) => String.fromCharCode(97 + i));
    const counts = { train: train.reduce((sum, count) => sum + count, 0), test: tests };
    const set: DatasetDescription = {
      name: 'letters',
      form: 'ink',
      labels,
      counts,
      byLabel: { train, test: train.map(() => 1) },
      testSet: '',
      checksums: {},
    };
    return warningsAbout(set, all).map(({ code }) => code);
  };

  it.each([
    { train: [100, 100, 100], tests: 100, codes: [] },
    { train: [10, 50], tests: 100, codes: [] },
    { train: [9, 40], tests: 100, codes: ['FEW_PICTURES'] },
    { train: [20, 101], tests: 100, codes: ['UNEQUAL_LABELS'] },
    { train: [0, 100], tests: 100, codes: ['NO_PICTURES', 'UNEQUAL_LABELS'] },
    { train: [0, 9, 100], tests: 100, codes: ['NO_PICTURES', 'FEW_PICTURES', 'UNEQUAL_LABELS'] },
    { train: [100, 100], tests: 99, codes: ['FEW_TESTS'] },
    { train: [1, 60], tests: 0, codes: ['FEW_PICTURES', 'UNEQUAL_LABELS', 'FEW_TESTS'] },
  ])('is $codes for $train pictures of each label and $tests to test with', ({ train, tests, codes }) => {
    expect(codesFor(train, tests)).toEqual(codes);
  });

  it('counts no more test pictures than the job takes', () => {
    const set = { name: 'x', form: 'ink', labels: ['a'], counts: { train: 500, test: 500 } } as const;
    const codes = (testImages: number | null) =>
      warningsAbout({ ...set, testSet: '', checksums: {} }, { ...all, testImages }).map(({ code }) => code);
    expect([codes(null), codes(100), codes(99)]).toEqual([[], [], ['FEW_TESTS']]);
  });

  it('looks at the pictures that the job takes, also where their labels are not counted', () => {
    const set = {
      name: 'x',
      form: 'ink',
      counts: { train: 100, test: 100 },
      testSet: '',
      checksums: {},
    } as const;
    const labels = ['a', 'b'];
    const byLabel = { train: [20, 80], test: [50, 50] };
    const messages = (trainImages: number | null, counted: boolean) =>
      warningsAbout({ ...set, labels, ...(counted && { byLabel }) }, { ...all, trainImages }).map(
        ({ message }) => message,
      );
    expect([messages(null, true), messages(50, true), messages(1000, true)]).toEqual([[], [], []]);
    expect(messages(49, true)).toEqual([
      'the first 49 training pictures have fewer than 10 of "a"; raise "trainImages"',
    ]);
    expect([messages(20, false), messages(19, false)]).toEqual([
      [],
      [expect.stringContaining('fewer than 10 of "a", "b"')],
    ]);
  });

  it('does not advise what the request has', () => {
    const [train, labels] = [
      [20, 101],
      ['a', 'b'],
    ];
    const counts = { train: 121, test: 100 };
    const set = { name: 'x', form: 'ink', labels, counts, testSet: '', checksums: {} } as const;
    const message = (balance: boolean) =>
      warningsAbout({ ...set, byLabel: { train, test: train } }, { ...all, balance })[0]!.message;
    expect(message(false)).toContain('set "balance"');
    expect(message(true)).not.toContain('set "balance"');
  });

  it('says what becomes of versions with other labels than the model answers with', () => {
    const codes = (current: string[] | null) =>
      otherLabels({ model: 'letters', promote: 'unless-worse' }, ['a', 'b'], current).map(({ code }) => code);
    expect([codes(null), codes(['a', 'b'])]).toEqual([[], []]);
    expect(codes(['b', 'a'])).toEqual(['MODEL_LABELS_DIFFER']);
    expect(codes(['a'])).toEqual(['MODEL_LABELS_DIFFER']);
    const message = (promote: 'always' | 'never') =>
      otherLabels({ model: 'letters', promote }, ['a', 'b'], ['x', 'y'])[0]!.message;
    expect(message('never')).toContain(
      'model letters answers with other labels, x, y in place of a, b; the new versions are kept back',
    );
    expect(message('always')).toContain('the model answers with the labels of this training');
  });

  it('names the labels that it is about, five at most', () => {
    const train = [100, ...Array.from({ length: 7 }, () => 3)];
    const labels = train.map((_, i) => `label ${i}`);
    const [few] = warningsAbout(
      {
        name: 'x',
        form: 'ink',
        labels,
        counts: { train: 121, test: 100 },
        byLabel: { train, test: train },
        testSet: '',
        checksums: {},
      },
      all,
    );
    expect(few!.message).toContain('"label 1", "label 2", "label 3", "label 4", "label 5" and 2 more');
  });
});

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { seal } from '../../../src/lib/sealed-json.ts';
import { KeptAnswers } from '../../../src/model/corrections/kept-answers.ts';
import { temporaryDirectory } from '../../temporary.ts';

let dataDir: string;
let errors: unknown[];
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  errors = [];
});

const open = (most = { newest: 3, leastSure: 2 }) =>
  KeptAnswers.open(dataDir, (error) => errors.push(error), most);
const answer = (
  confidence: number,
  change: { score?: number | null; verdict?: 'known' | 'unknown' } = {},
) => ({
  model: { name: 'mnist', version: 1 },
  label: '7',
  confidence,
  verdict: 'known' as const,
  score: 1,
  pixels: new Uint8Array(784).fill(Math.round(100 * confidence)),
  ...change,
});
const sureness = async (kept: KeptAnswers) => (await kept.list()).map(({ confidence }) => confidence);

describe('answers that are kept', () => {
  it('are found by id while they are among the newest', async () => {
    const kept = await open({ newest: 3, leastSure: 0 });
    const ids = [0.91, 0.92, 0.93, 0.94].map((confidence) => kept.keep(answer(confidence)));
    expect(await kept.find(ids[0]!)).toBeNull();
    expect(await kept.find(ids[3]!)).toMatchObject({ ...answer(0.94), predictionId: ids[3] });
  });

  it('are listed, least sure first, as many as there is room for', async () => {
    const kept = await open();
    for (const confidence of [0.9, 0.5, 0.8, 0.6, 0.95]) {
      kept.keep(answer(confidence));
      await vi.waitFor(async () => expect(await readdir(join(dataDir, 'review'))).not.toContainEqual(/^\./));
      await kept.list();
    }
    await vi.waitFor(async () => expect(await sureness(kept)).toEqual([0.5, 0.6]));
  });

  it('count as less sure where they may be none of the labels', async () => {
    const kept = await open();
    kept.keep(answer(0.9));
    kept.keep(answer(0.99, { score: 0.1, verdict: 'unknown' }));
    await vi.waitFor(async () => expect(await sureness(kept)).toEqual([0.99, 0.9]));
  });

  it('are there after a restart, and go when they are taken off the list', async () => {
    const kept = await open();
    const id = kept.keep(answer(0.4));
    await vi.waitFor(async () => expect(await sureness(kept)).toEqual([0.4]));
    const later = await open();
    expect(await later.find(id)).toMatchObject(answer(0.4));
    expect(await later.remove(id)).toBe(true);
    expect(await later.remove(id)).toBe(false);
    expect(await sureness(await open())).toEqual([]);
  });

  it('go after thirty days', async () => {
    const kept = await open();
    const predictionId = kept.keep(answer(0.4));
    await vi.waitFor(async () => expect(await kept.list()).toHaveLength(1));
    const { pixels, ...old } = { ...answer(0.4), predictionId, at: '2020-01-01T00:00:00.000Z' };
    const record = { format: 1, answer: old, pixels: Buffer.from(pixels).toString('base64') };
    await writeFile(join(dataDir, 'review', predictionId, 'record.json'), seal(record).bytes);
    expect(await (await open()).list()).toEqual([]);
    expect(await readdir(join(dataDir, 'review'))).toEqual([]);
  });

  it('hold up no answer where they can not be written, which is told', async () => {
    const kept = await open();
    await writeFile(join(dataDir, 'review'), 'no directory');
    const id = kept.keep(answer(0.4));
    expect(await kept.find(id)).toMatchObject(answer(0.4));
    await vi.waitFor(() => expect(errors).toHaveLength(1));
  });
});

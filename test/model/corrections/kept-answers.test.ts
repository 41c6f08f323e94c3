import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { seal } from '../../../src/lib/sealed-json.ts';
import { KeptAnswers, type KeptAnswersOptions } from '../../../src/model/corrections/kept-answers.ts';
import { predictionIdOf } from '../../../src/model/corrections/picture-id.ts';
import { closeAfterTest } from '../../closing.ts';
import { runs } from '../../long.ts';
import { temporaryDirectory } from '../../temporary.ts';

let dataDir: string;
let errors: unknown[];
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  errors = [];
});

const open = async (most = { newest: 3, leastSure: 2 }, more: Partial<KeptAnswersOptions> = {}) => {
  const kept = await KeptAnswers.open(dataDir, { onError: (error) => errors.push(error), most, ...more });
  closeAfterTest(async () => kept.close());
  return kept;
};
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
/** Changes when a record was made to years ago. */
async function makeOld(predictionId: string, confidence: number): Promise<void> {
  const { pixels, ...rest } = answer(confidence);
  const old = { ...rest, predictionId, at: '2020-01-01T00:00:00.000Z' };
  const record = { format: 1, answer: old, pixels: Buffer.from(pixels).toString('base64') };
  await writeFile(join(dataDir, 'review', predictionId, 'record.json'), seal(record).bytes);
}

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

  it('are one for each picture and model, whichever version answers and however often', async () => {
    const kept = await open();
    const id = kept.keep(answer(0.4));
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(z.uuid().safeParse(id).success).toBe(true);
    const later = { ...answer(0.4), model: { name: 'mnist', version: 2 }, label: '1' };
    expect(kept.keep(later)).toBe(id);
    expect(await kept.find(id)).toMatchObject(later);
    await vi.waitFor(async () => expect(await sureness(kept)).toEqual([0.4]));
    expect((await open()).keep(answer(0.4))).toBe(id); // another process
    const others = [
      kept.keep({ ...answer(0.4), model: { name: 'letters', version: 1 } }),
      kept.keep({ ...answer(0.4), pixels: new Uint8Array(784) }),
    ];
    expect(new Set([id, ...others]).size).toBe(3);
  });

  it('have ids that are UUIDs, whatever the picture', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 784, maxLength: 784 }), fc.string(), (pixels, model) => {
        const id = predictionIdOf(model, pixels);
        expect(z.uuid().safeParse(id).success).toBe(true);
        expect(predictionIdOf(model, pixels)).toBe(id);
      }),
      { numRuns: runs(100) },
    );
  });

  it('go from the list also while they are being written', async () => {
    const kept = await open({ newest: 100, leastSure: 100 });
    const ids = Array.from({ length: 10 }, (_, n) => kept.keep(answer(n / 20)));
    expect(await Promise.all(ids.map((id) => kept.remove(id)))).toEqual(ids.map(() => true));
    expect(await kept.list()).toEqual([]);
    expect(await readdir(join(dataDir, 'review'))).toEqual([]);
  });

  it('are no more than there is room for, also while they are being written', async () => {
    const kept = await open();
    for (const confidence of [0.9, 0.8, 0.7, 0.6, 0.5]) kept.keep(answer(confidence));
    await vi.waitFor(async () => expect(await readdir(join(dataDir, 'review'))).toHaveLength(2));
    expect(await sureness(kept)).toEqual([0.5, 0.6]);
  });

  it('go by the clock when they are too many or too old, though nobody asks for the list', async () => {
    const files = () => readdir(join(dataDir, 'review'));
    const old = await open({ newest: 9, leastSure: 9 }, { pruneEveryMs: 10 });
    const id = old.keep(answer(0.5));
    await vi.waitFor(async () => expect(await files()).toEqual([id]));
    await makeOld(id, 0.5);
    await vi.waitFor(async () => expect(await files()).toEqual([]));
    old.close();

    await open({ newest: 3, leastSure: 1 }, { pruneEveryMs: 10 });
    const another = await open({ newest: 9, leastSure: 9 });
    for (const confidence of [0.6, 0.7, 0.8]) another.keep(answer(confidence));
    await vi.waitFor(async () => expect(await files()).toHaveLength(1));
    expect(await sureness(another)).toEqual([0.6]);
  });

  it('are left out where they are damaged, which is told once', async () => {
    const damaged: [string, string][] = [];
    const kept = await open(undefined, { onDamaged: (...what) => damaged.push(what) });
    const id = kept.keep(answer(0.4));
    await vi.waitFor(async () => expect(await kept.list()).toHaveLength(1));
    await writeFile(join(dataDir, 'review', id, 'record.json'), '{"format":1');
    expect(await kept.list()).toEqual([]);
    expect(await kept.list()).toEqual([]);
    expect(damaged).toEqual([[id, expect.any(String)]]);
    expect(errors).toEqual([]);
    expect(await kept.remove(id)).toBe(true);
  });

  it('go after thirty days', async () => {
    const kept = await open();
    const predictionId = kept.keep(answer(0.4));
    await vi.waitFor(async () => expect(await kept.list()).toHaveLength(1));
    await makeOld(predictionId, 0.4);
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

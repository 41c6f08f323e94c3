/** One byte changed anywhere in a version is found. FAULTS=long: (nearly) everywhere. */
import { stat } from 'node:fs/promises';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import { evaluation, modelFileNames, pathOf, publish, withFlip } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { faults } from './forms.ts';

const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let dataDir: string;
let store: ModelStore;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
  await publish(store);
  console.log(`byte flips: FAULTS_SEED=${seed}${faults.isLong ? '' : ', short form'}`);
});

/** Positions in a file: all of a small one, 2000 of a large one; 40 in the short form. */
function positionsOf(size: number): number[] {
  if (faults.isLong && size < 10_000) return Array.from({ length: size }, (_, position) => position);
  return fc.sample(fc.nat(size - 1), { seed, numRuns: faults.isLong ? 2000 : 40 });
}

/** Has `read` find a change at each position that is tried. */
async function flipEverywhere(name: string, read: () => Promise<unknown>): Promise<void> {
  const path = pathOf(dataDir, 1, name);
  const positions = positionsOf((await stat(path)).size);
  const masks = fc.sample(fc.integer({ min: 1, max: 255 }), { seed, numRuns: positions.length });
  for (const [index, position] of positions.entries()) {
    await withFlip(path, position, masks[index]!, async () => {
      const outcome = await read().catch((error: unknown) => error);
      expect(outcome, `position ${position}, mask ${masks[index]}`).toMatchObject({
        code: 'MODEL_DAMAGED',
        message: expect.stringContaining(`${name} of model 1`),
      });
    });
  }
  console.log(`byte flips: ${positions.length} in ${name}, all found`);
}

describe('one changed byte', () => {
  it.each(modelFileNames)('of %s is found at every position', { timeout: 600_000 }, async (name) => {
    await flipEverywhere(name, () => store.load(1));
    expect(await store.load(1)).toMatchObject({ manifest: { version: 1 } }); // all put back
  });

  it('of evaluation.json is found by who reads that, and keeps no model from loading', async () => {
    await flipEverywhere('evaluation.json', async () => {
      expect(await store.load(1)).toMatchObject({ manifest: { version: 1 } });
      return store.evaluation(1);
    });
    expect(await store.evaluation(1)).toEqual(evaluation); // all put back
  }, 600_000);
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ResumePoint, readResumePoint, saveResumePoint } from '../../src/model/resume.ts';
import { claimWorkspace, type Workspace } from '../../src/model/workspace.ts';
import { temporaryDirectory } from '../temporary.ts';
import { smallPlan } from './mnist.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await claimWorkspace(await temporaryDirectory(), 'job', 1);
});

const plan = smallPlan();
const epochOne = { epoch: 1, trainLoss: 1, testLoss: 0.5, testAccuracy: 0.9, seconds: 2, modelVersion: 7 };

function pointAt(step: number, epoch = 1, size = 5): ResumePoint {
  const vector = (first: number) => Float32Array.from({ length: size }, (_, i) => first + step + i / 7);
  const vectors = { weights: vector(0), mean: vector(100), variance: vector(200) };
  const position = { step, epoch, lossSum: Math.fround(step / 3), epochSeconds: 1.5, ...vectors };
  return { plan, device: 'a CPU', crashes: 1, published: [epochOne], position };
}

const save = (point: ResumePoint) => saveResumePoint(workspace, point);
const read = () => readResumePoint(workspace.directory, plan);
const files = async () => (await readdir(workspace.directory)).filter((name) => name.endsWith('.resume'));

describe('a resume point', () => {
  it('is read as it was saved, whatever the numbers', async () => {
    const float32 = fc.float32Array({ minLength: 1, maxLength: 50 });
    const epoch = fc.integer({ min: 1, max: 1000 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), epoch, float32, fc.float(), async (step, e, vector, lossSum) => {
        const directory = await claimWorkspace(await temporaryDirectory(), 'job', 1);
        const position = {
          ...pointAt(step, e).position,
          weights: vector,
          mean: vector,
          variance: vector,
          lossSum,
        };
        const finite = Number.isFinite(lossSum) ? lossSum : Number.NaN;
        await saveResumePoint(directory, { ...pointAt(step, e), position });
        const { point, damaged } = await readResumePoint(directory.directory, plan);
        expect(damaged).toEqual([]);
        expect(point).toEqual({ ...pointAt(step, e), position: { ...position, lossSum: finite + 0 } });
      }),
      { numRuns: 50 },
    );
  });

  it('is none before one was saved', async () => {
    expect(await read()).toEqual({ point: null, damaged: [] });
    expect(await readResumePoint(join(workspace.directory, 'missing'), plan)).toEqual({
      point: null,
      damaged: [],
    });
  });

  it('is the newest of the two that are kept; an epoch that has been published comes after its last step', async () => {
    for (const point of [pointAt(9), pointAt(10), pointAt(100), pointAt(100, 2)]) await save(point);
    expect((await read()).point).toEqual(pointAt(100, 2));
    expect((await files()).toSorted()).toEqual(['100-1.resume', '100-2.resume']);
  });

  it('is not used for another request', async () => {
    await save(pointAt(1));
    const { point, damaged } = await readResumePoint(workspace.directory, { ...plan, seed: 8 });
    expect(point).toBeNull();
    expect(damaged).toEqual(['1-1.resume: made for another request']);
  });

  it('can no longer be saved by an attempt that a later one has replaced', async () => {
    await claimWorkspace(join(workspace.directory, '../..'), 'job', 2);
    await expect(save(pointAt(1))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await files()).toEqual([]);
  });
});

describe('a damaged resume point', () => {
  const newest = () => join(workspace.directory, '20-1.resume');

  beforeEach(async () => {
    await save(pointAt(10));
    await save(pointAt(20));
  });

  it('is told by any flipped byte, and the one before it is used', async () => {
    const whole = await readFile(newest());
    for (let index = 0; index < whole.length; index++) {
      await save(pointAt(10)); // reading has removed nothing of it, saving makes sure
      const flipped = Buffer.from(whole);
      flipped[index]! ^= 1 + (index % 255);
      await writeFile(newest(), flipped);
      const { point, damaged } = await read();
      expect(point).toEqual(pointAt(10));
      expect(damaged).toEqual(['20-1.resume: checksum or form is wrong']);
    }
  });

  it.each([0, 1, 63, 64, 65, 200])('is told when only its first %d bytes are there', async (length) => {
    await writeFile(newest(), (await readFile(newest())).subarray(0, length));
    expect((await read()).point).toEqual(pointAt(10));
  });

  it('is gone after it was told, and keeps no good one from being kept', async () => {
    await writeFile(newest(), 'rubbish');
    await read();
    await save(pointAt(11));
    expect((await files()).toSorted()).toEqual(['10-1.resume', '11-1.resume']);
  });

  it('leaves nothing to resume from when both are', async () => {
    for (const name of await files()) await writeFile(join(workspace.directory, name), '');
    expect(await read()).toMatchObject({ point: null, damaged: [expect.any(String), expect.any(String)] });
  });
});

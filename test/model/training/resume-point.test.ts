import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  findResumePoint,
  type ResumePoint,
  removeUnusable,
  saveResumePoint,
} from '../../../src/model/training/resume-point.ts';
import { claimWorkspace, type Workspace } from '../../../src/model/training/workspace.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { smallPlan } from '../data/mnist.ts';

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
const read = () => findResumePoint(workspace.directory, plan);
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
        const { point, unusable } = await findResumePoint(directory.directory, plan);
        expect(unusable).toEqual([]);
        expect(point).toEqual({ ...pointAt(step, e), position: { ...position, lossSum: finite + 0 } });
      }),
      { numRuns: 50 },
    );
  });

  it('of an earlier version, whose plans knew fewer values, is used by a job that has none of them', async () => {
    const { augment: _, otherHands: __, outliers: ___, calibrationImages: ____, ...earlier } = plan;
    const now = { ...earlier, augment: false, otherHands: 0, outliers: 0, calibrationImages: 0 };
    await save({ ...pointAt(4), plan: earlier as typeof plan });
    expect((await findResumePoint(workspace.directory, now)).point).toEqual({ ...pointAt(4), plan: now });
    expect((await read()).point).toBeNull(); // this plan trains with outliers
  });

  it('is none before one was saved', async () => {
    expect(await read()).toEqual({ point: null, unusable: [] });
    expect(await findResumePoint(join(workspace.directory, 'missing'), plan)).toEqual({
      point: null,
      unusable: [],
    });
  });

  it('is the newest of the two that are kept; an epoch that has been published comes after its last step', async () => {
    for (const point of [pointAt(9), pointAt(10), pointAt(100), pointAt(100, 2)]) await save(point);
    expect((await read()).point).toEqual(pointAt(100, 2));
    expect((await files()).toSorted()).toEqual(['100-1.resume', '100-2.resume']);
  });

  it('is not used for another request', async () => {
    await save(pointAt(1));
    const { point, unusable } = await findResumePoint(workspace.directory, { ...plan, seed: 8 });
    expect(point).toBeNull();
    expect(unusable).toEqual([{ name: '1-1.resume', reason: 'made for another request' }]);
  });

  it('can no longer be saved by an attempt that a later one has replaced', async () => {
    await claimWorkspace(join(workspace.directory, '../..'), 'job', 2);
    await expect(save(pointAt(1))).rejects.toMatchObject({ code: 'FENCED' });
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
      const flipped = Buffer.from(whole);
      flipped[index]! ^= 1 + (index % 255);
      await writeFile(newest(), flipped);
      const { point, unusable } = await read();
      expect(point).toEqual(pointAt(10));
      expect(unusable).toEqual([{ name: '20-1.resume', reason: 'checksum or form is wrong' }]);
    }
  });

  it.each([0, 1, 63, 64, 65, 200])('is told when only its first %d bytes are there', async (length) => {
    await writeFile(newest(), (await readFile(newest())).subarray(0, length));
    expect((await read()).point).toEqual(pointAt(10));
  });

  it('keeps no good one from being kept, once it was removed', async () => {
    await writeFile(newest(), 'rubbish');
    await removeUnusable(workspace.directory, await read());
    await save(pointAt(11));
    expect((await files()).toSorted()).toEqual(['10-1.resume', '11-1.resume']);
  });

  it('leaves nothing to resume from when both are', async () => {
    for (const name of await files()) await writeFile(join(workspace.directory, name), '');
    expect(await read()).toMatchObject({ point: null, unusable: { length: 2 } });
  });

  it('is passed over when it can not even be read', async () => {
    await rm(newest());
    await mkdir(newest());
    const found = await read();
    expect(found.point).toEqual(pointAt(10));
    expect(found.unusable).toEqual([{ name: '20-1.resume', reason: expect.stringContaining('EISDIR') }]);
    await removeUnusable(workspace.directory, found);
    expect(await files()).toEqual(['10-1.resume']);
  });
});

/** A file in the place of a directory of corrections: a problem that says so, and no fault of this program. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { mnist } from '../model/data/mnist.ts';
import { type Parts, startParts } from './parts.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts({ keepInputs: true, onKeepError: () => {} });
  await parts.publishAndServe();
});
afterAll(() => parts.close());

const picture = async (index: number) =>
  (await encodePng(imageAt(mnist.test, index), 28, 28)).toString('base64');
const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
  parts.app.inject({ method, url, ...(payload && { payload }) });
const inPlaceOf = async (name: string) => {
  await rm(join(parts.dataDir, name), { recursive: true, force: true });
  await writeFile(join(parts.dataDir, name), 'no directory');
};
const unusable = { status: 503, code: 'CORRECTIONS_UNUSABLE' };
const id = 'a'.repeat(32);

describe('where DATA_DIR/corrections is no directory', () => {
  beforeAll(() => inPlaceOf('corrections'));
  afterAll(() => rm(join(parts.dataDir, 'corrections')));

  it('each call that needs it answers 503 and says what to do', async () => {
    const answers = [
      await call('POST', '/corrections', { image: await picture(0), label: '7' }),
      await call('GET', '/corrections'),
      await call('DELETE', `/corrections/${id}`),
      await call('POST', '/jobs/train', { corrections: true }),
    ];
    for (const answer of answers) {
      expect(answer.json()).toMatchObject(unusable);
      expect(answer.json<{ detail: string }>().detail).toContain(join(parts.dataDir, 'corrections'));
    }
  });

  it('predictions and other trainings go on', async () => {
    expect((await call('POST', '/predict', { image: await picture(0) })).statusCode).toBe(200);
    expect((await call('POST', '/jobs/train', {})).statusCode).toBe(202);
  });
});

it('where DATA_DIR/correction-sets is no directory, only trainings on corrections answer 503', async () => {
  expect((await call('POST', '/corrections', { image: await picture(1), label: '2' })).statusCode).toBe(201);
  await inPlaceOf('correction-sets');
  expect((await call('POST', '/jobs/train', { corrections: true })).json()).toMatchObject(unusable);
  expect((await call('GET', '/corrections')).statusCode).toBe(200);
});

it('where DATA_DIR/review is no directory, the list answers 503; answers are given', async () => {
  await inPlaceOf('review');
  expect((await call('GET', '/review')).json()).toMatchObject(unusable);
  expect((await call('POST', '/predict', { image: await picture(2) })).statusCode).toBe(200);
});

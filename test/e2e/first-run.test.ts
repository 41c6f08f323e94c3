/** The README's first minutes: start, watch the training, ask for a digit, stop, start again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureAccuracy, variantNames } from '../../harness/digits.ts';
import {
  getJson,
  isThere,
  processesOf,
  redisPidOf,
  type Service,
  startService,
  trainToEnd,
} from '../../harness/service.ts';
import type { Evaluation } from '../../src/client/index.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { readSplit } from '../../src/model/data/built-in.ts';
import { startOwnTime } from '../jobs/until.ts';
import { isLong, runs } from '../long.ts';
import { temporaryDirectory } from '../temporary.ts';

const test = await readSplit('mnist', 'test');
const plainImages = isLong ? test.count : 2000;
const images = isLong ? 1000 : 100; // of each variant
const askers = isLong ? 4 : 2; // at once, as models are swapped

describe('the first run', () => {
  let dataDir: string;
  let service: Service;
  let firstSeconds: number; // to the first model

  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    const startedAt = performance.now();
    service = await startService(dataDir);
    await service.printed('Try it:', 900_000);
    firstSeconds = (performance.now() - startedAt) / 1000;
  }, 960_000);

  afterAll(async () => {
    await service?.end();
  });

  it('trains the default recipe to at least 99.0 %', async () => {
    const { data } = await getJson<{ data: TrainJob[] }>(`${service.address}/jobs`);
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ status: 'succeeded', modelVersion: 1, error: null });
    expect(data[0]!.epochs.at(-1)!.testAccuracy).toBeGreaterThanOrEqual(0.99);
  });

  it('shows the device and the progress as plain lines in a pipe', () => {
    expect(service.output()).toMatch(/training mnist, recipe "default", on \S+/);
    expect(service.output()).toMatch(
      /100 % {2}epoch 1\/1 {2}step 907\/907 {2}loss \d\.\d{4} {2}[\d,]+ images\/s/,
    );
    expect(service.output()).not.toContain('\u001B');
  });

  it('prints commands that work: the first test image is a 7', async () => {
    const picture = await fetch(`${service.address}/datasets/mnist/test/0.png`);
    const body = Buffer.from(await picture.arrayBuffer());
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${service.address}/predict`, { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({ digit: 7, model: { version: 1 } });
  });

  it(`reads the first ${plainImages} test images as well as its job did`, async () => {
    const { misread } = await getJson<Evaluation>(`${service.address}/models/1/evaluation`); // all: 1 % at most
    const wrong = misread.filter(({ index }) => index < plainImages).length;
    const accuracy = await measureAccuracy(service.address, test, 'plain', plainImages);
    console.log(`plain, ${plainImages} images: ${(100 * accuracy).toFixed(2)} %, the job misread ${wrong}`);
    expect(Math.abs((1 - accuracy) * plainImages - wrong)).toBeLessThanOrEqual(0.0005 * plainImages);
  });

  it.each(variantNames.filter((name) => name !== 'plain'))(
    'reads 98 of 100 digits and more that come %s',
    async (variant) => {
      const accuracy = await measureAccuracy(service.address, test, variant, images);
      console.log(`${variant}, ${images} images: ${(100 * accuracy).toFixed(2)} %`);
      expect(accuracy).toBeGreaterThanOrEqual(0.98);
    },
  );

  it('swaps in each new model within half a second, and no request fails meanwhile', async () => {
    const request = { trainImages: 640, testImages: 100, batchSize: 32, epochs: 3, promote: 'always' };
    const [job, asked] = await Promise.all([
      trainToEnd(service.address, request),
      askUntil(service.address, runs(2000), 4), // version 1 answers first; the job publishes 2, 3 and 4
    ]);
    expect(job.epochs.map(({ modelVersion }) => modelVersion)).toEqual([2, 3, 4]);
    expect(asked.failed).toEqual([]);
    expect([...asked.firstAnswerAt.keys()]).toEqual([1, 2, 3, 4]);
    for (const version of [2, 3, 4]) {
      const { createdAt } = await getJson<{ createdAt: string }>(`${service.address}/models/${version}`);
      const answeredAt = asked.firstAnswerAt.get(version)!;
      const afterMs = asked.ownTime.msBetween(Date.parse(createdAt), answeredAt);
      const wallMs = answeredAt - Date.parse(createdAt);
      console.log(
        `version ${version}: first answer ${wallMs} ms after it was written, ${afterMs} ms of them in this process's own time`,
      );
      expect(afterMs).toBeLessThan(500);
    }
    console.log(`${asked.count} requests, 0 failed, the slowest took ${asked.slowestMs.toFixed(0)} ms`);
  });

  it('stops on Ctrl-C and leaves nothing running', async () => {
    const redis = await redisPidOf(dataDir);
    expect(await service.end('SIGINT')).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
    expect(isThere(redis)).toBe(false);
  });

  it('is ready again sooner than the first time, with the same jobs and the newest model', async () => {
    const startedAt = performance.now();
    service = await startService(dataDir);
    await service.printed('Try it:');
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`second start: ready after ${seconds.toFixed(2)} s`);
    expect(seconds).toBeLessThan(firstSeconds); // a bound that a busy machine keeps; bench:first-run has the figure
    const { data } = await getJson<{ data: TrainJob[] }>(`${service.address}/jobs`);
    expect(data.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const models = await getJson<{ data: { version: number; served: boolean }[] }>(
      `${service.address}/models`,
    );
    expect(models.data[0]).toMatchObject({ version: 4, served: true });
  });
});

/** Sends at least `least` requests, and goes on until version `last` answers. */
async function askUntil(address: string, least: number, last: number) {
  const picture = await fetch(`${address}/datasets/mnist/test/0.png`);
  const body = Buffer.from(await picture.arrayBuffer());
  const headers = { 'content-type': 'image/png' };
  const firstAnswerAt = new Map<number, number>(); // version → time
  const failed: string[] = [];
  const ownTime = startOwnTime();
  let count = 0;
  let slowestMs = 0;
  const ask = async () => {
    while (count < least || !firstAnswerAt.has(last)) {
      count++;
      const startedAt = performance.now();
      const response = await fetch(`${address}/predict`, { method: 'POST', headers, body });
      const text = await response.text();
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      if (response.status !== 200) {
        failed.push(text);
        continue;
      }
      const { version } = (JSON.parse(text) as { model: { version: number } }).model;
      if (!firstAnswerAt.has(version)) firstAnswerAt.set(version, Date.now());
    }
  };
  await Promise.all(Array.from({ length: askers }, ask));
  ownTime.stop();
  return { count, failed, firstAnswerAt, slowestMs, ownTime };
}

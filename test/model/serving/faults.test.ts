/** The predictor under load that it can't take, with callers that go away, stopped and killed. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import type { PredictOutcome } from '../../../src/model/serving/messages.ts';
import type { Predictor } from '../../../src/model/serving/predictor.ts';
import { timed, until } from '../../jobs/until.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from '../data/mnist.ts';
import { memoryOf, predictorPid, startServing } from './processes.ts';

const digit = await encodePng(imageAt(mnist.test, 0), 28, 28);
const maxPending = 256; // images
const maxBytes = 64 * 1024 * 1024;

let predictor: Predictor;
let ends: string[]; // how the processes ended
const serve = async () => {
  ({ predictor, ends } = await startServing(await temporaryDirectory()));
};
const close = () => predictor.close();

const predictMany = (count: number, image: Uint8Array = digit, signal?: AbortSignal) =>
  Array.from({ length: count }, () => predictor.predict(image, signal && { signal }));

/** How many outcomes have each code; `ok` for predictions. */
function tally(outcomes: readonly PredictOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const name = outcome.ok ? 'ok' : outcome.code;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const untilEmpty = () =>
  until(
    'all images to be let go of',
    () => predictor.load(),
    ({ images }) => images === 0,
  );
const nextSign = (done: number) =>
  until(
    'a sign of life',
    () => predictor.load(),
    ({ inferences }) => inferences >= done,
  );

describe('load', () => {
  beforeAll(serve);
  afterEach(untilEmpty); // on a slow machine some images of a test run into their deadline, and are let go of later
  afterAll(close);

  it('is bounded in bytes as well as in number', async () => {
    const padded = Buffer.concat([digit, Buffer.alloc(5 * 1024 * 1024 - digit.length)]); // after the end of the PNG
    const outcomes = predictMany(40, padded);
    expect(predictor.load()).toMatchObject({ images: 12, bytes: 12 * padded.length });
    expect(predictor.load().bytes).toBeLessThanOrEqual(maxBytes);
    const counts = tally(await Promise.all(outcomes));
    expect(counts).toEqual({ ok: 12, OVERLOADED: 28 });
    expect(predictor.load()).toMatchObject({ images: 0, bytes: 0 });
  });

  it('says when to come back: by what waits and by how fast it goes', async () => {
    const outcomes = await Promise.all(predictMany(maxPending + 1));
    const refused = outcomes.at(-1)!;
    const { code, retryAfterSeconds } = refused as Extract<PredictOutcome, { code: 'OVERLOADED' }>;
    expect(code).toBe('OVERLOADED');
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(Number.isInteger(retryAfterSeconds)).toBe(true);
  });

  // Last, since it takes seconds: the time to come back follows from how fast the images before were read.
  it('of small files with many pixels takes little memory', async () => {
    const side = 2000; // 4 megapixels: 16 MB each if it were decoded whole, 1 GB all together
    const picture = { create: { width: side, height: side, channels: 4 as const, background: '#fff' } };
    const mark = await sharp({ create: { width: 200, height: 900, channels: 4, background: '#000' } })
      .png()
      .toBuffer();
    const large = await sharp(picture)
      .composite([{ input: mark }])
      .png()
      .toBuffer();
    const pid = predictorPid()!;
    const before = await memoryOf(pid, 'VmHWM');
    await Promise.all(predictMany(64, large));
    const rise = (await memoryOf(pid, 'VmHWM')) - before;
    console.log(`64 images of 4 megapixels: the predictor's peak memory rises by ${Math.round(rise)} MB`);
    expect(rise).toBeLessThan(600);
  });
});

/** A signal that as many images listen to as one wants. */
function callerOf(images: number): AbortController {
  const controller = new AbortController();
  setMaxListeners(images, controller.signal);
  return controller;
}

describe('a caller that goes away', () => {
  beforeAll(serve);
  afterAll(close);

  it('costs no inference, and its image makes room', async () => {
    const pid = predictorPid()!;
    process.kill(pid, 'SIGSTOP'); // so that it reads of the images and of their end at once
    const gone = callerOf(maxPending);
    const abandoned = predictMany(maxPending, digit, gone.signal);
    gone.abort();
    expect(tally(await Promise.all(abandoned))).toEqual({ CANCELLED: maxPending });
    await nextTurn(); // at its end the predictor is told
    process.kill(pid, 'SIGCONT');
    await untilEmpty();
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
    const { inferences, decodings } = await nextSign(1);
    expect(inferences).toBe(1);
    expect(decodings).toBeLessThanOrEqual(8 + 1); // eight are begun at once
  });

  it('before the call costs nothing', async () => {
    expect(await predictor.predict(digit, { signal: AbortSignal.abort() })).toMatchObject({
      code: 'CANCELLED',
    });
    expect(predictor.load().images).toBe(0);
  });

  it('does not disturb the others', async () => {
    const gone = callerOf(100);
    const [abandoned, others] = [predictMany(100, digit, gone.signal), predictMany(100)];
    gone.abort();
    expect(tally(await Promise.all(others))).toEqual({ ok: 100 });
    expect(tally(await Promise.all(abandoned))).toEqual({ CANCELLED: 100 });
  });
});

describe('a predictor that hangs', () => {
  beforeEach(serve);
  afterEach(close);

  it('is noticed, killed and replaced; every call ends within 5 s', async () => {
    const pid = predictorPid()!;
    process.kill(pid, 'SIGSTOP');
    const { value, ms } = await timed(() => Promise.all(predictMany(50)));
    console.log(
      `50 images with a stopped predictor: ${JSON.stringify(tally(value))} after ${Math.round(ms)} ms`,
    );
    expect(ms).toBeLessThan(5500);
    const named = ['ok', 'PREDICTOR_RESTARTED', 'PREDICT_TIMEOUT'];
    expect(named).toEqual(expect.arrayContaining(Object.keys(tally(value))));
    await until(
      'a new model',
      () => predictor.model(),
      (model) => model !== null,
    );
    expect(ends).toEqual([expect.stringContaining('sign of life')]);
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
    expect(predictorPid()).not.toBe(pid);
  });
});

describe('a predictor that is killed', () => {
  beforeEach(serve);
  afterEach(close);

  it('answers at once while it starts again', async () => {
    process.kill(predictorPid()!, 'SIGKILL');
    await until(
      'its end to be seen',
      () => predictor.model(),
      (model) => model === null,
    );
    const load = predictor.loadVersion(1);
    const { value, ms } = await timed(() => predictor.predict(digit));
    expect(value).toMatchObject({ ok: false, code: 'PREDICTOR_RESTARTED' });
    expect(ms).toBeLessThan(100);
    const message = expect.stringContaining('the predictor is being started again');
    expect(await load).toMatchObject({ ok: false, code: 'MODEL_NOT_LOADED_YET', message });
  });

  it('again and again, and before it is ready, serves in the end', async () => {
    for (let kill = 1; kill <= 3; kill++) {
      const pid = await until(
        'a process',
        () => predictorPid(),
        (found) => found !== null,
      );
      process.kill(pid!, 'SIGKILL');
      await until(
        'its end to be seen',
        () => ends.length,
        (count) => count === kill,
      );
    }
    await until(
      'a new model',
      () => predictor.model(),
      (model) => model !== null,
    );
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });
});

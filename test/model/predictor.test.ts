import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageAt } from '../../src/model/dataset.ts';
import { initialWeights, networks } from '../../src/model/network.ts';
import { encodePng } from '../../src/model/picture.ts';
import { type Predictor, type PredictorMessage, startPredictor } from '../../src/model/predictor.ts';
import { type ModelStore, openStore } from '../../src/model/store.ts';
import { temporaryDirectory } from '../temporary.ts';
import { mnist } from './mnist.ts';
import { predictorPid } from './predictor-processes.ts';
import { provenance } from './provenance.ts';

type Announcement = Exclude<PredictorMessage, { type: 'answer' | 'dropped' | 'alive' }>;

const digit = await encodePng(imageAt(mnist.test, 0), 28, 28);

let dataDir: string;
let store: ModelStore;
let predictor: Predictor;
let heard: Announcement[];
let waiting: { wanted: (message: Announcement) => boolean; resolve: () => void }[];

beforeEach(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
  heard = [];
  waiting = [];
  const onMessage = (message: Announcement) => {
    heard.push(message);
    for (const { wanted, resolve } of waiting) if (wanted(message)) resolve();
  };
  predictor = startPredictor({ dataDir, engine: 'auto' }, { onMessage });
});
afterEach(() => predictor.close());

/** Resolves at the next announcement of this kind. */
function announced(wanted: (message: Announcement) => boolean): Promise<void> {
  return new Promise((resolve) => waiting.push({ wanted, resolve }));
}

async function publish(seed = 1): Promise<number> {
  const { version } = await store.publish(
    networks.article,
    initialWeights(networks.article, seed),
    provenance,
  );
  return version;
}

async function publishAndServe(seed = 1): Promise<void> {
  const swapped = announced((message) => message.type === 'model');
  await publish(seed);
  await swapped;
}

describe('predictor', () => {
  it('has no model before the first is published', async () => {
    expect(await predictor.predict(digit)).toMatchObject({ ok: false, code: 'NO_MODEL' });
    expect(predictor.model()).toBeNull();
  });

  it('serves a version as soon as it is there, and then the newer one', async () => {
    await publishAndServe(1);
    const first = await predictor.predict(digit);
    await publishAndServe(2);
    const second = await predictor.predict(digit);
    expect(first).toMatchObject({ ok: true, model: { version: 1, jobId: 'job-1' } });
    expect(second).toMatchObject({ ok: true, model: { version: 2 } });
    expect(first.ok && second.ok && first.probabilities).not.toEqual(second.ok && second.probabilities);
  });

  it('answers a hundred at once as it answers each alone', async () => {
    await publishAndServe();
    const alone = await predictor.predict(digit);
    const together = await Promise.all(Array.from({ length: 100 }, () => predictor.predict(digit)));
    for (const answer of together) {
      if (!answer.ok || !alone.ok) throw new Error('expected predictions');
      expect(answer.confidence).toBeCloseTo(alone.confidence, 5);
    }
  });

  it('goes on with the good version when a newer one is damaged, and says so', async () => {
    await publishAndServe();
    await predictor.close();
    await publish();
    const path = join(dataDir, 'models', '2', 'weights.bin');
    const bytes = await readFile(path);
    bytes[0]! ^= 1;
    await writeFile(path, bytes);
    const messages: Announcement[] = [];
    const ready = new Promise<void>((resolve) => {
      predictor = startPredictor(
        { dataDir, engine: 'auto' },
        {
          onMessage: (message) => {
            messages.push(message);
            if (message.type === 'model') resolve();
          },
        },
      );
    });
    await ready;
    expect(messages).toContainEqual({
      type: 'damaged',
      version: 2,
      reason: expect.stringContaining('SHA-256'),
    });
    expect(await predictor.predict(digit)).toMatchObject({ ok: true, model: { version: 1 } });
  });

  it('refuses more than it can hold, with the time to come back', async () => {
    await publishAndServe();
    const outcomes = await Promise.all(Array.from({ length: 400 }, () => predictor.predict(digit)));
    const refused = outcomes.filter((outcome) => !outcome.ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(400 - 256);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ code: 'OVERLOADED', retryAfterSeconds: expect.any(Number) });
    }
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });

  it('starts again after a crash, and answers what was under way by the new process', async () => {
    await publishAndServe();
    const underWay = Promise.all(Array.from({ length: 50 }, () => predictor.predict(digit)));
    process.kill(predictorPid()!, 'SIGKILL');
    for (const outcome of await underWay) expect(outcome).toMatchObject({ ok: true });
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });
});

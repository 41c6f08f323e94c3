import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import type { PredictorMessage } from '../../../src/model/serving/messages.ts';
import { type Predictor, startPredictor } from '../../../src/model/serving/predictor.ts';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from '../data/mnist.ts';
import { makeChampion } from '../registry/champion.ts';
import { provenance } from '../store/provenance.ts';
import { damage } from '../store/versions.ts';
import { predictorPid } from './processes.ts';

type Announcement = Exclude<PredictorMessage, { type: 'answer' | 'dropped' | 'alive' }>;

const digit = await encodePng(imageAt(mnist.test, 0), 28, 28);

let dataDir: string;
let store: ModelStore;
let predictor: Predictor;
let heard: Announcement[];
let waiting: { wanted: (message: Announcement) => boolean; resolve: () => void }[];

async function open(): Promise<void> {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
  heard = [];
  waiting = [];
  predictor = startPredictor({ dataDir, engine: 'auto' }, { onMessage });
}
const close = () => predictor.close();

function onMessage(message: Announcement): void {
  heard.push(message);
  for (const { wanted, resolve } of waiting) if (wanted(message)) resolve();
}

/** Resolves at the next announcement of this kind. */
function announced(wanted: (message: Announcement) => boolean): Promise<void> {
  return new Promise((resolve) => waiting.push({ wanted, resolve }));
}

async function publish(seed = 1): Promise<number> {
  const { version } = await store.publish(
    buildNetwork('article', 10),
    initialWeights(buildNetwork('article', 10), seed),
    provenance,
  );
  return version;
}

async function publishAndServe(seed = 1): Promise<void> {
  const swapped = announced((message) => message.type === 'model');
  await makeChampion(dataDir, await publish(seed));
  await swapped;
}

describe('a predictor', () => {
  beforeAll(open);
  afterAll(close);

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
    const alone = await predictor.predict(digit);
    const together = await Promise.all(Array.from({ length: 100 }, () => predictor.predict(digit)));
    for (const answer of together) {
      if (!answer.ok || !alone.ok) throw new Error('expected predictions');
      expect(answer.confidence).toBeCloseTo(alone.confidence, 5);
    }
  });

  it('refuses more than it can hold, with the time to come back', async () => {
    const outcomes = await Promise.all(Array.from({ length: 400 }, () => predictor.predict(digit)));
    const refused = outcomes.filter((outcome) => !outcome.ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(400 - 256);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ code: 'OVERLOADED', retryAfterSeconds: expect.any(Number) });
    }
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });

  it('refuses what can not be sent to its process, and goes on', async () => {
    const unsendable = { byteLength: 1, read: () => {} } as unknown as Uint8Array;
    const outcomes = await Promise.all(
      [digit, unsendable, digit, unsendable].map((image) => predictor.predict(image)),
    );
    for (const id of [0, 2]) expect(outcomes[id]).toMatchObject({ ok: true });
    for (const id of [1, 3]) expect(outcomes[id]).toMatchObject({ ok: false, code: 'IMAGE_NOT_READ' });
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });
});

describe('a predictor of its own', () => {
  beforeEach(open);
  afterEach(close);

  it('moves a damaged newest version to quarantine, says so, and serves the one before', async () => {
    await publishAndServe();
    await predictor.close();
    await makeChampion(dataDir, await publish());
    await damage(dataDir, 2);
    heard = [];
    const again = announced((message) => message.type === 'model' && message.model.version === 1);
    predictor = startPredictor({ dataDir, engine: 'auto' }, { onMessage });
    await again;
    const reason = expect.stringMatching(/^weights.bin of model 2: expected SHA-256/);
    expect(heard).toContainEqual({ type: 'damaged', version: 2, reason });
    expect(await predictor.predict(digit)).toMatchObject({ ok: true, model: { version: 1 } });
    expect(await store.versions()).toEqual([1]);
    expect(await store.quarantined()).toMatchObject([{ version: 2, reason }]);
    await publishAndServe();
    expect(predictor.model()).toMatchObject({ version: 3 });
  });

  it('deletes old versions when it serves a new one', async () => {
    await predictor.close();
    for (let seed = 1; seed <= 3; seed++) await publish(seed);
    const removed = announced(({ type }) => type === 'removed');
    predictor = startPredictor({ dataDir, engine: 'auto', keepModels: 2 }, { onMessage });
    await removed;
    expect(await store.versions()).toEqual([3, 2]);
  });

  it('starts again after a crash, and answers what was under way by the new process', async () => {
    await predictor.close();
    predictor = startPredictor({ dataDir, engine: 'auto' }, { onMessage }, 60_000); // a busy machine starts slowly
    await publishAndServe();
    const underWay = Promise.all(Array.from({ length: 50 }, () => predictor.predict(digit)));
    process.kill(predictorPid()!, 'SIGKILL');
    for (const outcome of await underWay) expect(outcome).toMatchObject({ ok: true });
    expect(await predictor.predict(digit)).toMatchObject({ ok: true });
  });
});

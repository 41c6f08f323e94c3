/** Images that come as the network takes them: how they queue, and that they are read as pictures are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAt, imageSize } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { answerTensor } from '../../../src/model/serving/answer-tensor.ts';
import type {
  PredictorNews,
  PredictorRequest,
  TensorPrediction,
} from '../../../src/model/serving/messages.ts';
import { MicroBatches } from '../../../src/model/serving/micro-batches.ts';
import { PendingImages } from '../../../src/model/serving/pending-images.ts';
import { type Predictor, startPredictor } from '../../../src/model/serving/predictor.ts';
import { openStore } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from '../data/mnist.ts';
import { provenance } from '../store/provenance.ts';

const tensorOf = (images: number) => mnist.test.images.slice(0, images * imageSize);
const order = (images: number, isPinned = false) => {
  return { tensor: new Uint8Array(images * imageSize), version: 1, isPinned };
};

describe('a tensor in the queue', () => {
  function openQueue() {
    const sent: PredictorRequest[] = [];
    const send = (request: PredictorRequest) => void sent.push(request);
    return { queue: new PendingImages({ send, kill: () => {} }), sent };
  }

  it('counts each of its images, and all its bytes, until the process lets go of it', async () => {
    const { queue, sent } = openQueue();
    const gone = new AbortController();
    const outcome = queue.predict(order(64), gone.signal);
    expect(sent).toMatchObject([{ type: 'tensor', id: 0, version: 1 }]);
    expect(queue.load()).toEqual({ images: 64, bytes: 64 * imageSize });
    gone.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    expect(sent[1]).toEqual({ type: 'drop', id: 0 });
    expect(queue.load().images).toBe(64);
    queue.dropped(0);
    expect(queue.load()).toEqual({ images: 0, bytes: 0 });
  });

  it('waits while the process has 32 images or more', () => {
    const { queue, sent } = openQueue();
    for (let id = 0; id < 3; id++) void queue.predict(order(20));
    expect(sent).toHaveLength(2);
    queue.dropped(0);
    expect(sent).toHaveLength(3);
    queue.close();
  });

  it('is refused while 512 images of tensors wait, a quarter of them for a version that requests name', async () => {
    for (const [isPinned, most] of [
      [false, 512],
      [true, 128],
    ] as const) {
      const { queue } = openQueue();
      void queue.predict(order(most - 1, isPinned));
      void queue.predict(order(256, isPinned)); // one place is left: enough
      expect(queue.load().images).toBe(most - 1 + 256);
      expect(await queue.predict(order(1, isPinned))).toMatchObject({ code: 'OVERLOADED' });
      queue.close();
    }
  });

  it.each([false, true])(
    'leaves pictures their places, and they leave it its own (pinned: %s)',
    (isPinned) => {
      const picture = { image: new Uint8Array(1), version: 1, isPinned, withPixels: false };
      const places = isPinned ? 64 : 256; // of pictures
      for (const first of ['tensors', 'pictures']) {
        const { queue } = openQueue();
        const fill = (one: typeof picture | ReturnType<typeof order>, count: number) => {
          for (let n = 0; n < count; n++) void queue.predict(one);
        };
        if (first === 'pictures') fill(picture, places);
        fill(order(256, isPinned), isPinned ? 1 : 2);
        if (first === 'tensors') fill(picture, places);
        expect([first, queue.load().images]).toEqual([first, places + (isPinned ? 256 : 512)]);
        queue.close();
      }
    },
  );

  it('is sent again after a crash', () => {
    const { queue, sent } = openQueue();
    void queue.predict(order(40));
    queue.processEnded();
    expect(queue.load().images).toBe(40);
    queue.sendNext();
    expect(sent.map(({ type }) => type)).toEqual(['tensor', 'tensor']);
    queue.close();
  });
});

describe('a tensor in the predictor process', () => {
  it('is a batch of its own, in its turn', async () => {
    const inferred: string[] = [];
    let finish = () => {};
    const isDone = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const note = (what: string) => {
      inferred.push(what);
      if (inferred.length === 3) finish();
    };
    const batches = new MicroBatches({
      maxDecoding: 8,
      maxBatch: 8,
      decode: async () => ({ ok: true, pixels: new Uint8Array(imageSize), warnings: [] }),
      infer: (_version, batch) => note(`images ${batch.map(({ id }) => id).join(', ')}`),
      inferTensor: ({ id }) => note(`tensor ${id}`),
      onRefused: () => {},
      onDropped: (id) => note(`dropped ${id}`),
    });
    batches.addTensor(1, order(64));
    batches.addTensor(2, order(64));
    batches.drop(2);
    const image = { image: new Uint8Array(1), version: 1, isPinned: false, withPixels: false };
    batches.add(3, image);
    batches.add(4, image);
    await isDone;
    expect(inferred).toEqual(['dropped 2', 'tensor 1', 'images 3, 4']);
  });

  it('is inferred 64 images at a time', async () => {
    const sizes: number[] = [];
    const infer = (pixels: Uint8Array | Float32Array) => {
      const images = pixels.length / imageSize;
      sizes.push(images);
      return new Float32Array(images * 2).map((_, i) => i % 2);
    };
    const found = await answerTensor(new Float32Array(150 * imageSize), infer, {
      labels: ['no', 'yes'],
      calibration: null,
    });
    expect(sizes).toEqual([64, 64, 22]);
    expect(found.answers).toHaveLength(150);
    expect(found.answers[149]).toEqual({ label: 'yes', verdict: 'known' });
    expect(found.probabilities[299]).toBeCloseTo(Math.E / (1 + Math.E), 6);
  });
});

describe('a predictor', () => {
  let predictor: Predictor;
  const batches: number[] = [];
  beforeAll(async () => {
    const dataDir = await temporaryDirectory();
    const network = buildNetwork('article', 10);
    await openStore(dataDir).publish(network, initialWeights(network, 1), provenance);
    await new Promise<void>((resolve) => {
      const onMessage = (news: PredictorNews) => {
        if (news.type === 'batch') batches.push(news.images);
        if (news.type === 'model') resolve();
      };
      predictor = startPredictor({ dataDir, engine: 'auto' }, { onMessage });
    });
  });
  afterAll(() => predictor.close());

  const read = async (...args: Parameters<Predictor['predictTensor']>) =>
    (await predictor.predictTensor(...args)) as TensorPrediction;

  it('reads 64 images as one batch, floats as bytes, and as it reads them one by one', async () => {
    const bytes = tensorOf(64);
    const found = await read(bytes);
    expect(batches).toEqual([64]);
    expect(found).toMatchObject({ ok: true, model: { version: 1, alias: 'champion' } });
    expect(found.answers).toHaveLength(64);
    const floats = await read(Float32Array.from(bytes, (grey) => grey / 255));
    expect(floats.probabilities).toEqual(found.probabilities);
    for (let i = 0; i < 4; i++) {
      const picture = await encodePng(imageAt(mnist.test, i), 28, 28);
      const outcome = await predictor.predict(picture);
      if (!outcome.ok) throw new Error(outcome.message);
      expect(outcome.label).toBe(found.answers[i]!.label);
      const row = found.probabilities.subarray(10 * i, 10 * (i + 1));
      for (const [j, probability] of outcome.probabilities.entries())
        expect(row[j]).toBeCloseTo(probability, 5);
    }
  });

  it('says why a version or a model can not read it', async () => {
    expect(await read(tensorOf(1), { version: 9 })).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(await read(tensorOf(1), { model: 'letters' })).toMatchObject({ code: 'MODEL_UNKNOWN' });
    expect(await read(tensorOf(1), { alias: 'best' })).toMatchObject({ code: 'ALIAS_NOT_FOUND' });
    const gone = AbortSignal.abort();
    expect(await read(tensorOf(1), { signal: gone })).toMatchObject({ code: 'CANCELLED' });
  });

  it('reads 256 images of a named version in four batches', async () => {
    expect((await read(tensorOf(256), { version: 1 })).answers).toHaveLength(256);
    expect(batches.slice(-4)).toEqual([64, 64, 64, 64]);
  });
});

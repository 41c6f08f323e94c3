/** Versions of several networks, and what their networks really give, for the tests of exports. */
import * as tf from '@tensorflow/tfjs';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { referenceForward, unflatten } from '../../../src/model/network/forward.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import type { NetworkSpecification } from '../../../src/model/network/specification.ts';
import type { Provenance } from '../../../src/model/store/manifest.ts';
import { openStore, type StoredModel } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { provenance } from '../store/provenance.ts';

export const imageCount = 5;

const calibration = {
  temperature: 0.37,
  threshold: 0.6,
  ece: 0.004,
  falseAlarms: 0.005,
  images: 500,
  method: 'temperature scaling',
};
const oddLabels = ['ä "quoted"', 'zwölf', '三'];

/** What differs: pools that leave a rest, layers in a row, no convolution at all, one label's name in another script. */
export const cases: readonly (readonly [string, NetworkSpecification, Partial<Provenance>])[] = [
  ['article', 'article', {}],
  ['small', 'small', { calibration }],
  ['wide', 'wide', { calibration, labels: oddLabels, form: 'picture' }],
  [
    'pools that leave a rest',
    {
      layers: [
        { kind: 'convolution', filters: 3, kernelSize: 1, pool: 3 },
        { kind: 'convolution', filters: 4, kernelSize: 11, pool: 2 },
      ],
    },
    { calibration },
  ],
  [
    'dense only',
    {
      layers: [
        { kind: 'dense', units: 7 },
        { kind: 'dense', units: 5 },
      ],
    },
    { labels: oddLabels },
  ],
];

/** Publishes an untrained network and reads it back. */
export async function publishedModel(
  specification: NetworkSpecification,
  more: Partial<Provenance> = {},
): Promise<StoredModel> {
  const { length } = more.labels ?? digitLabels;
  const network = buildNetwork(specification, length);
  const store = openStore(await temporaryDirectory());
  const { version } = await store.publish(network, initialWeights(network, 3), { ...provenance, ...more });
  return store.load(version);
}

/** Greys [count × 784] in 0 … 1, each image another. */
export function someImages(count = imageCount): Float32Array {
  return Float32Array.from({ length: count * 784 }, (_, i) => ((i * i * 31 + i * 7) % 256) / 255);
}

/** The network as Trainyard computes it: logits, row by row. */
export async function logitsOf(
  { manifest, weights }: StoredModel,
  images: Float32Array,
): Promise<Float32Array> {
  return onCpu(async () => {
    const logits = tf.tidy(() => {
      const parameters = unflatten(manifest.network, tf.tensor1d(weights));
      return referenceForward(
        manifest.network,
        parameters,
        tf.tensor4d(images, [images.length / 784, 28, 28, 1]),
      );
    });
    const values = await logits.data<'float32'>();
    logits.dispose();
    return values;
  });
}

/** Other files in this process use another backend. */
export async function onCpu<Result>(use: () => Promise<Result>): Promise<Result> {
  const before = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    return await use();
  } finally {
    if (before) await tf.setBackend(before);
  }
}

/** Logits → probabilities, row by row. */
export function softmaxOf(logits: Float32Array, columns: number, temperature: number): number[] {
  return Array.from({ length: logits.length / columns }, (_, row) => {
    const values = [...logits.subarray(row * columns, (row + 1) * columns)];
    const powers = values.map((logit) => Math.exp(logit / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }).flat();
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((x, y) => Math.max(x, y), 0);
}

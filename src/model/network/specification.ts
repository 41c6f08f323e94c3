/**
 * What a request says of a network: a name, or the layers before the last one, which follows from the labels. This file
 * loads no tfjs, so that any process can import it.
 */
import { z } from 'zod';
import { imageSide } from '../data/dataset.ts';

const mostLayers = 12;
export const mostParameters = 2_000_000; // of a request's own layers, the last one included; a million takes 12 MB of a resume point

const kindExpected = (issue: { readonly code?: string }) =>
  issue.code === 'invalid_union' ? 'expected "convolution" or "dense"' : undefined;

const convolution = z.strictObject({
  kind: z.literal('convolution'),
  filters: z.int().min(1).max(512),
  kernelSize: z
    .int()
    .min(1)
    .max(11)
    .refine((size) => size % 2 === 1, { error: 'expected an odd size, so that the image keeps its own' }),
  pool: z.int().min(2).max(7).exactOptional().describe('Side of the max-pool that follows'),
  batchNorm: z
    .boolean()
    .exactOptional()
    .describe(
      'Whether training normalises its outputs by the mean and variance of each batch; a published version has them folded into its weights. Pays where images are few',
    ),
});
const dense = z.strictObject({
  kind: z.literal('dense'),
  units: z.int().min(1).max(4096),
});

const customNetwork = z
  .strictObject({
    layers: z
      .array(z.discriminatedUnion('kind', [convolution, dense], { error: kindExpected }))
      .min(1)
      .max(mostLayers)
      .describe('Each is followed by ReLU; the last, dense layer follows from the labels'),
  })
  .superRefine(({ layers }, context) => {
    const problem = findProblem(layers);
    if (problem)
      context.addIssue({ code: 'custom', path: ['layers', problem.index], message: problem.message });
  });

export const networkNames = ['article', 'small', 'wide', 'wide-normalised'] as const;
export type NetworkName = (typeof networkNames)[number];

export const networkSpecification = z.union([z.enum(networkNames), customNetwork], {
  error: `expected ${networkNames.map((name) => `"${name}"`).join(', ')} or {"layers": [{"kind": "convolution", "filters": 16, "kernelSize": 5, "pool": 2}, …]}`,
});
export type NetworkSpecification = z.output<typeof networkSpecification>;
/**
 * A convolution has stride 1 and keeps height and width; batch normalisation follows if `batchNorm` is set, then ReLU,
 * then a max-pool if `pool` is set. A dense layer is followed by ReLU unless it is the last, which gives the logits.
 */
export type Layer = z.output<typeof customNetwork>['layers'][number];

/** Whether batch normalisation follows the layer. Its scale γ is one more parameter for each filter; its shift β is the bias. */
export function isNormalised(layer: Layer): boolean {
  return layer.kind === 'convolution' && layer.batchNorm === true;
}

/** Smaller kernels, more of them, and one more dense layer: for many labels and for pictures. */
const wide: readonly Layer[] = [
  { kind: 'convolution', filters: 32, kernelSize: 3 },
  { kind: 'convolution', filters: 32, kernelSize: 3, pool: 2 },
  { kind: 'convolution', filters: 64, kernelSize: 3 },
  { kind: 'convolution', filters: 64, kernelSize: 3, pool: 2 },
  { kind: 'dense', units: 128 },
];

export const namedNetworks: Readonly<Record<NetworkName, readonly Layer[]>> = {
  /** The article's network: 121,514 parameters with ten labels. */
  article: [
    { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2 }, // 28×28×1 → 14×14×16
    { kind: 'convolution', filters: 32, kernelSize: 5 }, //          14×14×16 → 14×14×32
    { kind: 'convolution', filters: 32, kernelSize: 5, pool: 2 }, // 14×14×32 → 7×7×32
    { kind: 'convolution', filters: 64, kernelSize: 5 }, //          7×7×32 → 7×7×64, then dense 3136 → labels
  ],
  /** Three times as fast, for few and simple labels. */
  small: [
    { kind: 'convolution', filters: 8, kernelSize: 5, pool: 2 },
    { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2 },
    { kind: 'dense', units: 64 },
  ],
  wide,
  /** `wide` with batch normalisation: more accurate where images are few, a longer step. */
  'wide-normalised': wide.map((layer) =>
    layer.kind === 'convolution' ? { ...layer, batchNorm: true } : layer,
  ),
};

export type LayerSize = {
  readonly side: number; // of the image that comes in
  readonly fanIn: number; // values that each output is computed from
  readonly units: number; // outputs at each place
  readonly places: number; // of the image, at which they are computed
};

export function sizesOf(layers: readonly Layer[]): LayerSize[] {
  let [side, channels] = [imageSide, 1];
  return layers.map((layer) => {
    const before = side;
    if (layer.kind === 'dense') {
      const fanIn = side * side * channels;
      [side, channels] = [1, layer.units];
      return { side: before, fanIn, units: channels, places: 1 };
    }
    const fanIn = layer.kernelSize ** 2 * channels;
    [side, channels] = [Math.floor(side / (layer.pool ?? 1)), layer.filters];
    return { side: before, fanIn, units: channels, places: before * before };
  });
}

/** What is wrong with the layers as a whole, and from which layer on; null where nothing is. */
function findProblem(layers: readonly Layer[]): { index: number; message: string } | null {
  const sizes = sizesOf(layers);
  const firstDense = layers.findIndex(({ kind }) => kind === 'dense');
  let parameters = 0;
  for (const [index, layer] of layers.entries()) {
    const { side, fanIn, units } = sizes[index]!;
    if (layer.kind === 'convolution') {
      if (firstDense >= 0 && firstDense < index)
        return { index, message: 'expected no convolution after a dense layer' };
      if ((layer.pool ?? 1) > side) {
        const message = `expected a pool of at most ${side}, the side of the image here`;
        return { index, message };
      }
    }
    parameters += (fanIn + (isNormalised(layer) ? 2 : 1)) * units;
    if (parameters > mostParameters) {
      const message = `expected at most ${mostParameters} parameters in all, not the ${parameters} up to here, so fewer filters or units`;
      return { index, message };
    }
  }
  return null;
}

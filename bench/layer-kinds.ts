/**
 * `npm run bench:layer-kinds`: whether batch normalisation and dropout would pay. PyTorch trains the network `wide` on
 * Fashion-MNIST with and without them, on all images and on the first thousands of them, in turns.
 * Options: --seeds 3, --images 2000,10000,60000. Takes about half an hour on two cores.
 */
import { parseArgs } from 'node:util';
import { availableBuiltIns, builtInDirectory } from '../src/model/data/built-in.ts';
import { runBench } from './lib/ending.ts';
import { measure } from './lib/measure.ts';
import { installPeers, peerProgram } from './lib/peers.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    images: { type: 'string', default: '2000,10000,60000' },
  },
});
const extras = ['none', 'batchnorm', 'dropout'] as const;
type Trained = { readonly accuracy: number; readonly seconds: number }; // share of the test images; of training

await runBench(async () => {
  if (!availableBuiltIns().includes('fashion-mnist'))
    throw new Error('expected fashion-mnist: apt-get install dataset-fashion-mnist');
  const peers = await installPeers();
  if (!peers.ok) throw new Error(`expected PyTorch: ${peers.reason}`);
  for (const images of values.images.split(',').map(Number)) {
    const results: Record<(typeof extras)[number], Trained[]> = { none: [], batchnorm: [], dropout: [] };
    for (let seed = 1; seed <= Number(values.seeds); seed++)
      for (const extra of extras) results[extra].push(await train(peers.python, { extra, images, seed }));
    for (const extra of extras) console.log(inWords(images, extra, results[extra]));
  }
});

type Task = { readonly extra: (typeof extras)[number]; readonly images: number; readonly seed: number };

function train(python: string, { extra, images, seed }: Task): Promise<Trained> {
  const args = {
    data: builtInDirectory('fashion-mnist'),
    extra,
    'train-images': images,
    epochs: epochsFor(images),
    seed,
  };
  const options = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return measure(
    `wide with ${extra}, ${images} images, seed ${seed}`,
    peerProgram(python, 'layers.py', options),
  );
}

/** Few images are shown more often: all of them 6 times, 2,000 of them 20 times. */
function epochsFor(images: number): number {
  return Math.max(6, Math.round(40_000 / images));
}

function inWords(images: number, extra: string, trained: readonly Trained[]): string {
  const accuracies = trained.map(({ accuracy }) => (100 * accuracy).toFixed(2));
  const mean = trained.reduce((sum, { accuracy }) => sum + 100 * accuracy, 0) / trained.length;
  const seconds = trained.reduce((sum, one) => sum + one.seconds, 0) / trained.length;
  return `${images} images, ${extra}: ${mean.toFixed(2)} % (${accuracies.join(', ')}), ${seconds.toFixed(0)} s each`;
}

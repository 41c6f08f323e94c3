/** Where the models that tests publish come from. */
import type { Provenance } from '../../../src/model/store/manifest.ts';

export const provenance: Provenance = {
  jobId: 'job-1',
  epoch: 1,
  epochs: 1,
  recipe: 'default',
  seed: 1,
  request: { epochs: 1 },
  dataset: { name: 'mnist', sha256: {} },
  engine: { name: 'wasm', device: 'CPU', gpu: false },
  gitCommit: null,
  metrics: { trainLoss: 2.3, testLoss: 2.3, testAccuracy: 0.1 },
};

/** A predictor without a process, for tests that ask for no prediction. */
import type { Predictor } from '../../src/model/serving/predictor.ts';
import { noModel } from '../../src/model/serving/select-version.ts';

export const noPredictor = {
  predict: async () => noModel,
  model: () => null,
  serving: () => ({}),
  unserved: () => noModel,
  engine: () => null,
  load: () => ({ images: 0, bytes: 0, decodings: 0, inferences: 0 }),
  close: async () => {},
} satisfies Partial<Predictor> as unknown as Predictor;

/** A predictor without a process, for tests that ask for no prediction. */
import type { Predictor } from '../../src/model/serving/predictor.ts';

export const noPredictor = {
  predict: async () => ({ ok: false, code: 'NO_MODEL', message: 'expected a model, there is none' }),
  model: () => null,
  serving: () => ({}),
  engine: () => null,
  load: () => ({ images: 0, bytes: 0, decodings: 0, inferences: 0 }),
  close: async () => {},
} satisfies Partial<Predictor> as unknown as Predictor;

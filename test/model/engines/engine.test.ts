/** How an engine is chosen, where the TensorFlow binding does not load. */
import Module from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/model/engines/open-engine.ts';

type Loader = { _load: (request: string, ...rest: unknown[]) => unknown };
const loader = Module as unknown as Loader;
const load = loader._load;

/** Node's own loader answers for one package as it would where libtensorflow is missing. */
function breakBinding(): void {
  loader._load = (request, ...rest) => {
    if (request === '@tensorflow/tfjs-node-gpu')
      throw new Error('libtensorflow.so: cannot open shared object file');
    return load.call(loader, request, ...rest);
  };
}

afterEach(() => {
  loader._load = load;
});

describe('openEngine without the TensorFlow binding', () => {
  it('goes on with wasm when asked for "auto", and says why', async () => {
    breakBinding();
    const engine = await openEngine('auto');
    expect(engine).toMatchObject({ name: 'wasm', gpu: false, device: expect.stringContaining('CPU') });
    expect(tf.getBackend()).toBe('wasm');
    expect(engine.fallback).toMatch(/cannot open shared object file.*npm run setup.*wasm/);
  });

  it('fails when asked for "tensorflow" by name', async () => {
    breakBinding();
    await expect(openEngine('tensorflow')).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('npm run setup'),
    });
  });
});

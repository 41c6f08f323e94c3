import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { tensorFlowOperations } from '../../../src/model/engines/tensorflow-layers.ts';
import { fastestOps, type NativeOps, plainOps } from '../../../src/model/engines/tensorflow-native-ops.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { mnist } from '../data/mnist.ts';
import { describeEngine } from './engine-suite.ts';
import { whyNoTensorFlow } from './tensorflow-here.ts';

const require = createRequire(import.meta.url);

// Node 23 removed these; without them here, the suite shows on any Node that the engine puts back what it needs.
const util = require('node:util') as Record<string, unknown>;
delete util['isNullOrUndefined'];
delete util['isArray'];

const reason = whyNoTensorFlow();
if (reason !== null) console.log(`engine tensorflow is not tested: ${reason}`);
describeEngine('tensorflow', { missing: reason });

describe.skipIf(reason !== null)('the ops of TensorFlow', () => {
  it('give the same gradient without those that only a CPU with oneDNN has', async () => {
    await openEngine('tensorflow');
    const [plain, fastest] = [gradientOver(plainOps()), gradientOver(fastestOps())];
    expect(Math.max(...plain.map(Math.abs))).toBeGreaterThan(0.01);
    expect(Math.max(...plain.map((value, i) => Math.abs(value - fastest[i]!)))).toBeLessThan(1e-5);
  });
});

function gradientOver(ops: NativeOps): Float32Array {
  const batch = takeBatch(mnist.train, Uint32Array.of(10, 20, 30, 40), 0, 4);
  const weights = tf.tensor1d(initialWeights(buildNetwork('article', 10), 5));
  const { gradient } = tensorFlowOperations(ops).lossAndGradient!(
    buildNetwork('article', 10),
    weights,
    batch,
    {
      labelSmoothing: 0.1,
      rejects: true,
    },
  );
  return gradient.dataSync<'float32'>();
}

import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { tensorFlowOperations } from '../../../src/model/engines/tensorflow-layers.ts';
import { fastestOps, type NativeOps, plainOps } from '../../../src/model/engines/tensorflow-native-ops.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { namedNetworks } from '../../../src/model/network/specification.ts';
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
    for (const batchNorm of [false, true]) {
      const [plain, fastest] = [gradientOver(plainOps(), batchNorm), gradientOver(fastestOps(), batchNorm)];
      expect(Math.max(...plain.map(Math.abs))).toBeGreaterThan(0.01);
      expect(Math.max(...plain.map((value, i) => Math.abs(value - fastest[i]!)))).toBeLessThan(1e-5);
    }
  });
});

function gradientOver(ops: NativeOps, batchNorm: boolean): Float32Array {
  const layers = namedNetworks.article.map((layer) =>
    layer.kind === 'convolution' ? { ...layer, batchNorm } : layer,
  );
  const network = buildNetwork({ layers }, 10);
  const batch = takeBatch(mnist.train, Uint32Array.of(10, 20, 30, 40), 0, 4);
  const weights = tf.tensor1d(initialWeights(network, 5));
  const { gradient } = tensorFlowOperations(ops).lossAndGradient!(network, weights, batch, {
    labelSmoothing: 0.1,
    rejects: true,
  });
  return gradient.dataSync<'float32'>();
}

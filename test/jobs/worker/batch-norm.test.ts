/** A job whose network has batch normalisation, up to the version that it publishes and what that one answers. */
import { expect, it } from 'vitest';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { foldedNetwork } from '../../../src/model/network/fold-batch-norm.ts';
import { buildNetwork, parameterCount } from '../../../src/model/network/network.ts';
import { testVersion } from '../../../src/model/training/test-version.ts';
import { mnist } from '../../model/data/mnist.ts';
import { startRedisServer } from '../redis-server.ts';
import { openYard, smallEpochs } from '../yard.ts';

const { url } = await startRedisServer();

it('publishes a network without, which reads the test images as well as was measured', async () => {
  const yard = await openYard(url);
  const layers = [
    { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2, batchNorm: true },
    { kind: 'convolution', filters: 16, kernelSize: 3, pool: 2, batchNorm: true },
    { kind: 'dense', units: 32 },
  ] as const;
  const network = { layers: [...layers] };
  const { id } = await yard.enqueue({ ...smallEpochs, trainImages: 640, testImages: 200, network });
  await yard.startWorker();
  const job = await yard.untilEnded(id);
  expect(job).toMatchObject({ status: 'succeeded', modelVersion: 1, request: { network } });
  const { manifest, weights } = await yard.store.load(1);
  const plain = foldedNetwork(buildNetwork(network, 10));
  expect(manifest.request).toMatchObject({ network });
  expect(manifest.network).toEqual(plain);
  expect(JSON.stringify(manifest.network)).not.toContain('batchNorm');
  expect(weights).toHaveLength(parameterCount(plain));
  expect(manifest.parameters).toBe(weights.length);
  expect(manifest.metrics.testAccuracy).toBeGreaterThan(0.5);
  await openEngine('auto');
  const stored = (await yard.store.correctness(1))!;
  const again = await testVersion(
    { load: (version) => yard.store.load(version), correctness: async () => null },
    1,
    { ...mnist.test, count: 200 },
  );
  expect(again!.images).toBe(stored.images);
  expect([...again!.bits]).toEqual([...stored.bits]);
});

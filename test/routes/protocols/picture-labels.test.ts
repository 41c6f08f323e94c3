/** Pictures are answered with the labels of the version that read them, whatever has become of its files. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { until } from '../../jobs/until.ts';
import { makeChampion } from '../../model/registry/champion.ts';
import { provenance } from '../../model/store/provenance.ts';
import { pathOf } from '../../model/store/versions.ts';
import { type Parts, startParts } from '../parts.ts';

const labels = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i)); // more than there are digits

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
  const network = buildNetwork('article', labels.length);
  const from = { ...provenance, labels };
  const { version } = await parts.store.publish(network, initialWeights(network, 1), from);
  await makeChampion(parts.dataDir, version);
  await until(
    'the version to be served',
    () => parts.predictor.model(),
    (model) => model !== null,
  );
  await rm(pathOf(parts.dataDir, version, 'manifest.json'));
});
afterAll(() => parts.close());

it('names its labels over every protocol, and in `top`', async () => {
  const picture = await encodePng(imageAt(await readSplit('mnist', 'test'), 0), 28, 28);
  const b64 = picture.toString('base64');
  const post = async (url: string, payload: object | Buffer) =>
    (await parts.app.inject({ method: 'POST', url, payload })).json();
  const sorted = (found: readonly string[]) => found.toSorted();

  const { results } = await post('/v1/models/mnist:classify', { examples: [{ b64 }] });
  expect(sorted(results[0].map(([label]: [string]) => label))).toEqual(labels);
  const { outputs } = await post('/v2/models/mnist/infer', {
    inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [b64] }],
    outputs: [{ name: 'probabilities', parameters: { classification: labels.length } }],
  });
  expect(sorted(outputs[0].data.map((text: string) => text.split(':')[2]))).toEqual(labels);
  const { top, labels: shown } = await post(`/predict?top=${labels.length}`, { image: b64 });
  expect(sorted(top.map(({ label }: { label: string }) => label))).toEqual(labels);
  expect(shown).toBeUndefined();
});

/** Exported networks in ONNX Runtime Web. */
import * as fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { encodeOnnx } from '../../../src/model/export/onnx.ts';
import { modelProto } from '../../../src/model/export/onnx-schema.ts';
import { normalisationVersion } from '../../../src/model/image/normalisation-version.ts';
import { readingOf } from '../../../src/model/store/manifest.ts';
import { cases, largestDifference, logitsOf, publishedModel, softmaxOf, someImages } from './exported.ts';

it.each(cases)('of %s computes the same in ONNX Runtime', async (_name, specification, more) => {
  const model = await publishedModel(specification, more);
  const session = await InferenceSession.create(encodeOnnx(model));
  expect(session.inputNames).toEqual(['images']);
  expect(session.outputNames).toEqual(['probabilities', 'logits']);
  const labels = readingOf(model.manifest).labels.length;
  for (const count of [1, 5]) {
    const images = someImages(count);
    const output = await session.run({ images: new Tensor('float32', images, [count, 1, 28, 28]) });
    const logits = await logitsOf(model, images);
    expect(output['logits']!.dims).toEqual([count, labels]);
    expect(largestDifference(logits, output['logits']!.data as Float32Array)).toBeLessThan(1e-5);
    const expected = softmaxOf(logits, labels, more.calibration?.temperature ?? 1);
    const { data, dims } = output['probabilities']!;
    expect(dims).toEqual([count, labels]);
    expect(largestDifference(expected, data as Float32Array)).toBeLessThan(1e-5);
  }
  await session.release();
});

const convolution = fc.record(
  {
    kind: fc.constant('convolution' as const),
    filters: fc.integer({ min: 1, max: 4 }),
    kernelSize: fc.constantFrom(1, 3, 5, 7),
    pool: fc.integer({ min: 2, max: 3 }),
  },
  { requiredKeys: ['kind', 'filters', 'kernelSize'] },
);
const dense = fc.record({ kind: fc.constant('dense' as const), units: fc.integer({ min: 1, max: 6 }) });
const anyLayers = fc
  .tuple(fc.array(convolution, { maxLength: 3 }), fc.array(dense, { maxLength: 2 }))
  .map((parts) => parts.flat())
  .filter(({ length }) => length > 0);

it('of any layers computes the same in ONNX Runtime', async () => {
  const images = someImages(2);
  await fc.assert(
    fc.asyncProperty(anyLayers, async (layers) => {
      const model = await publishedModel({ layers });
      const session = await InferenceSession.create(encodeOnnx(model));
      const { logits } = await session.run({ images: new Tensor('float32', images, [2, 1, 28, 28]) });
      const expected = await logitsOf(model, images);
      expect(largestDifference(expected, logits!.data as Float32Array)).toBeLessThan(1e-5);
      await session.release();
    }),
    { numRuns: 20 },
  );
});

it('says what the images are, what the labels are and where it comes from', async () => {
  const { manifest, weights } = await publishedModel('small', { labels: ['ä', 'b'], form: 'picture' });
  const decoded = modelProto.toObject(modelProto.decode(encodeOnnx({ manifest, weights })), {
    longs: Number,
  });
  expect(decoded['graph'].input[0].docString).toMatch(/^float32 \[N, 1, 28, 28\]: grey 0 … 1, the whole/);
  const props = Object.fromEntries(
    (decoded['metadataProps'] as { key: string; value: string }[]).map(({ key, value }) => [key, value]),
  );
  expect(JSON.parse(props['labels']!)).toEqual(['ä', 'b']);
  expect([props['normalisation'], props['normalisationVersion']]).toEqual([
    'picture',
    String(normalisationVersion),
  ]);
  expect(props['weightsSha256']).toBe(manifest.files['weights.bin'].sha256);
  expect(JSON.parse(props['provenance']!)).toMatchObject({ jobId: 'job-1', seed: 1 });
  expect(decoded['modelVersion']).toBe(1);
});

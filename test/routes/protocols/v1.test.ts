import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { type Parts, startParts } from '../parts.ts';

const test = await readSplit('mnist', 'test');
const flat = [0, 1].map((i) => Array.from(imageAt(test, i), (grey) => grey / 255)); // [2 × 784]
const nested = flat.map((image) =>
  Array.from({ length: 28 }, (_, y) => image.slice(28 * y, 28 * (y + 1)).map((grey) => [grey])),
); // [2 × 28 × 28 × 1]
const pictures = await Promise.all([0, 1].map((i) => encodePng(imageAt(test, i), 28, 28)));
const encoded = pictures.map((picture) => ({ b64: picture.toString('base64') }));

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

const get = (path: string) => parts.app.inject(`/v1/models/${path}`);
const post = (path: string, payload: object | string) =>
  parts.app.inject({ method: 'POST', url: `/v1/models/${path}`, payload });

it('knows no model before the first', async () => {
  expect((await parts.app.inject('/v1/models')).json()).toEqual({ models: [] });
  expect((await get('mnist')).json()).toMatchObject({ status: 503, code: 'NO_MODEL' });
  const response = await post('mnist:predict', { instances: flat });
  expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
});

describe('with a model', () => {
  beforeAll(() => parts.publishAndServe());

  const places = ['mnist', 'mnist/versions/1', 'mnist/labels/champion'];

  it('lists the models', async () => {
    expect((await parts.app.inject('/v1/models')).json()).toEqual({ models: ['mnist'] });
  });

  it('tells what answers, in the words of TensorFlow Serving and of KServe', async () => {
    for (const place of places) {
      expect((await get(place)).json()).toEqual({
        name: 'mnist',
        ready: true,
        model_version_status: [
          { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
        ],
      });
      const { model_spec, metadata } = (await get(`${place}/metadata`)).json();
      expect(model_spec).toEqual({ name: 'mnist', signature_name: '', version: '1' });
      const { inputs, method_name } = metadata.signature_def.signature_def.serving_default;
      expect(method_name).toBe('tensorflow/serving/predict');
      expect(inputs.image.tensor_shape.dim.map(({ size }: { size: string }) => size)).toEqual([
        '-1',
        '28',
        '28',
        '1',
      ]);
    }
  });

  it('answers in every form what POST /predict answers', async () => {
    const expected = await Promise.all(
      pictures.map(async (payload) => {
        const headers = { 'content-type': 'image/png' };
        return (await parts.app.inject({ method: 'POST', url: '/predict', headers, payload })).json();
      }),
    );
    const labels = expected.map(({ label }) => label as string);
    const named = (values: readonly unknown[]) => values.map((value) => ({ image: value }));
    for (const values of [flat, nested, encoded, named(flat), named(encoded)])
      for (const place of places) {
        const { predictions } = (await post(`${place}:predict`, { instances: values })).json();
        expect(predictions.map(({ label }: { label: string }) => label)).toEqual(labels);
        for (const [i, value] of (expected[0].probabilities as number[]).entries())
          expect(predictions[0].probabilities[i]).toBeCloseTo(value, 5);
      }
    for (const inputs of [flat, nested, encoded, { image: flat }, { image: encoded }]) {
      const { outputs } = (await post('mnist:predict', { inputs })).json();
      expect(outputs).toMatchObject({ label: labels, verdict: expected.map(({ verdict }) => verdict) });
      expect(outputs.probabilities).toHaveLength(2);
    }
    for (const examples of [named(flat), encoded]) {
      const { results } = (await post('mnist:classify', { examples })).json();
      expect(results.map(([[label]]: [[string]]) => label)).toEqual(labels);
      expect(results[0]).toHaveLength(10);
    }
  });

  it.each<[string, object | string, RegExp]>([
    ['no JSON', '{', /valid JSON/],
    ['nothing', {}, /instances \(rows\) or inputs \(columns\), got neither/],
    ['both', { instances: flat, inputs: flat }, /got both/],
    ['no list', { instances: 7 }, /instances/],
    ['no list of columns', { inputs: 7 }, /array of images, got a number/],
    ['no image', { instances: [] }, /from 1 to 256 images in instances, got 0/],
    ['many images', { instances: Array.from({ length: 257 }, () => [0]) }, /from 1 to 256 .*got 257/],
    [
      'many pictures',
      { instances: Array.from({ length: 17 }, () => ({ b64: '' })) },
      /from 1 to 16 .*got 17/,
    ],
    ['few numbers', { instances: [[0, 1]] }, /expected 784 numbers .*got 2, at 0 of instances/],
    ['numbers that run over', { instances: [[...flat[0]!, 0], flat[1]!.slice(1)] }, /got more, at 0/],
    ['one number an image', { instances: [0, 1] }, /array of 784 numbers at 0/],
    ['numbers of one image in place of images', { instances: flat[0]! }, /from 1 to 256 .*got 784/],
    ['another signature', { signature_name: 'nope', instances: flat }, /serving_default.*got "nope"/],
    ['greys of 255', { instances: [Array(784).fill(255)] }, /divided by 255/],
    ['text', { instances: [Array(784).fill('1')] }, /got a string at 0/],
    ['two inputs', { instances: [{ a: 1, b: 2 }] }, /one input: the image, got 2 \(a, b\)/],
    ['no base64', { instances: [{ b64: '?' }] }, /b64 at 0 of instances/],
    ['base64 that is a number', { instances: [{ b64: 7 }] }, /base64, got number/],
    ['pictures among numbers', { instances: [flat[0], encoded[0]] }, /array of 784 numbers at 1/],
    ['numbers among pictures', { instances: [encoded[0], flat[0]] }, /\{"b64": "..."\} at 1/],
  ])('says what is wrong with %s', async (_name, body, message) => {
    const response = await post('mnist:predict', body);
    expect([response.statusCode, response.json().error]).toEqual([400, expect.stringMatching(message)]);
  });

  it('takes the name of its only signature, and classifies nothing else either', async () => {
    for (const signature_name of ['serving_default', '']) {
      const response = await post('mnist:predict', { signature_name, instances: flat });
      expect(response.statusCode).toBe(200);
    }
    const other = await post('mnist:classify', { signature_name: 'nope', examples: encoded });
    expect(other.json().error).toMatch(/expected serving_default/);
    expect((await post('mnist:classify', {})).json().error).toMatch(/examples to be an array.*got nothing/);
  });

  it('says which model, version, label or call it does not know', async () => {
    for (const [path, message] of [
      ['letters', /got letters/],
      ['mnist/versions/9', /got 9/],
      ['mnist/versions/champion', /NUMBER/],
      ['mnist/labels/best', /alias of mnist/],
      ['mnist/labels/1', /ALIAS/],
    ] as const) {
      expect((await get(path)).json().error, path).toMatch(message);
      const response = await post(`${path}:predict`, { instances: flat });
      expect([path, response.statusCode]).toEqual([path, 404]);
      expect(response.json().error, path).toMatch(message);
    }
    const other = await post('mnist:regress', {});
    expect([other.statusCode, other.json().error]).toEqual([
      404,
      'expected :predict or :classify after the model, got :regress; models here are classifiers',
    ]);
  });
});

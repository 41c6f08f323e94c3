import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt, imageSize } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { type Parts, startParts } from '../parts.ts';
import { binaryBody, bytesElements, bytesOfFloats, readAnswer } from './v2-client.ts';

const test = await readSplit('mnist', 'test');
const pixels = (count: number) => test.images.slice(0, count * imageSize);
const greys = (count: number) => Float32Array.from(pixels(count), (grey) => grey / 255);
const pictures = await Promise.all([0, 1, 2].map((i) => encodePng(imageAt(test, i), 28, 28)));

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

const get = (url: string) => parts.app.inject(url);
type Sent = { headers?: Record<string, string>; payload?: Buffer | string | object };
const post = (url: string, { headers = {}, payload = '' }: Sent) =>
  parts.app.inject({ method: 'POST', url, headers, payload });
const infer = (sent: Sent, path = '/v2/models/mnist') => post(`${path}/infer`, sent);
const inferJson = (input: object, more: object = {}) =>
  infer({ payload: { inputs: [{ name: 'image', ...input }], ...more } });

async function answerTo(sent: Sent, path?: string) {
  const response = await infer(sent, path);
  expect(response.statusCode, response.body).toBe(200);
  const length = response.headers['inference-header-content-length'] as string | undefined;
  return readAnswer(response.rawPayload, length);
}

describe('before the first model', () => {
  it('is live, and not ready', async () => {
    expect((await get('/v2/health/live')).json()).toEqual({ live: true });
    const ready = await get('/v2/health/ready');
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false }]);
    expect((await post('/v2/repository/index', {})).json()).toEqual([]);
    expect((await get('/v2/models/mnist/ready')).json()).toMatchObject({ status: 503, code: 'NO_MODEL' });
  });
});

describe('with a model', () => {
  beforeAll(() => parts.publishAndServe());

  it('tells what it is', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect((await get('/openapi.json')).json().info.version).toBe(version);
    const server = (await get('/v2')).json();
    expect(server).toMatchObject({ name: 'trainyard', version });
    expect(server.extensions).toContain('binary_tensor_data');
    expect((await get('/v2/health/ready')).json()).toEqual({ ready: true });
    const index = [{ name: 'mnist', version: '1', state: 'READY', reason: '' }];
    expect((await post('/v2/repository/index', {})).json()).toEqual(index);
    const models = ['/v2/models/mnist', '/v2/models/mnist/versions/1', '/v2/models/mnist/versions/champion'];
    for (const path of models) {
      expect((await get(`${path}/ready`)).json()).toEqual({ name: 'mnist', ready: true });
      expect((await get(path)).json()).toMatchObject({
        name: 'mnist',
        versions: ['1'],
        inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 28, 28, 1] }],
      });
    }
  });

  it('answers in every form what POST /predict answers', async () => {
    const expected = await Promise.all(
      pictures.map(async (payload) => {
        const headers = { 'content-type': 'image/png' };
        return (await post('/predict', { headers, payload })).json();
      }),
    );
    const shape = [3, 28, 28, 1];
    const asJson = (datatype: string, data: unknown, as: number[] = shape) => ({
      payload: { inputs: [{ name: 'image', datatype, shape: as, data }] },
    });
    const nested = Array.from({ length: 3 }, (_, i) => [...greys(3).subarray(784 * i, 784 * (i + 1))]);
    const base64 = pictures.map((picture) => picture.toString('base64'));
    const forms = {
      'FP32 in JSON': asJson('FP32', [...greys(3)]),
      'FP32 in nested JSON': asJson('FP32', nested, [3, 784]),
      'UINT8 in JSON': asJson('UINT8', [...pixels(3)]),
      'BYTES in JSON': asJson('BYTES', base64, [3]),
      'FP32 as bytes': binaryBody('FP32', shape, bytesOfFloats(greys(3))),
      'UINT8 as bytes': binaryBody('UINT8', shape, Buffer.from(pixels(3))),
      'BYTES as bytes': binaryBody('BYTES', [3, 1], bytesElements(pictures)),
    };
    for (const [form, sent] of Object.entries(forms)) {
      const answer = await answerTo(sent);
      expect(answer, form).toMatchObject({ model_name: 'mnist', model_version: '1' });
      const { probabilities, label, verdict } = answer.outputs;
      expect(label, form).toMatchObject({
        datatype: 'BYTES',
        shape: [3],
        data: expected.map((e) => e.label),
      });
      expect(verdict!.data, form).toEqual(expected.map((each) => each.verdict));
      expect(probabilities!.shape).toEqual([3, 10]);
      for (const [i, value] of expected.flatMap((each) => each.probabilities as number[]).entries())
        expect(probabilities!.data![i], form).toBeCloseTo(value, 5);
    }
  });

  it('answers in bytes where that is asked for, for all outputs or for some', async () => {
    const data = bytesOfFloats(greys(2));
    const shape = [2, 28, 28, 1];
    const plain = await answerTo(binaryBody('FP32', shape, data));
    const all = { parameters: { binary_data_output: true } };
    expect((await answerTo(binaryBody('FP32', shape, data, all))).outputs).toMatchObject({
      label: { ...plain.outputs['label'], parameters: { binary_data_size: 10 } },
      probabilities: { data: plain.outputs['probabilities']!.data },
    });
    const outputs = [
      { name: 'verdict', parameters: { binary_data: false } },
      { name: 'probabilities', parameters: { binary_data: true } },
    ];
    const some = await answerTo(binaryBody('FP32', shape, data, { ...all, outputs, id: 'x' }));
    expect(some.id).toBe('x');
    expect(Object.keys(some.outputs)).toEqual(['verdict', 'probabilities']);
    expect(some.outputs['verdict']).not.toHaveProperty('parameters');
    expect(some.outputs['probabilities']!.parameters).toEqual({ binary_data_size: 80 });
  });

  it('classifies', async () => {
    const outputs = [{ name: 'probabilities', parameters: { classification: 3 } }];
    const input = { datatype: 'UINT8', shape: [2, 28, 28, 1], data: [...pixels(2)] };
    const { label } = (await answerTo({ payload: { inputs: [{ name: 'image', ...input }] } })).outputs;
    const answer = (await inferJson(input, { outputs })).json();
    expect(answer.outputs[0]).toMatchObject({ datatype: 'BYTES', shape: [2, 3] });
    const first = (answer.outputs[0].data as string[]).map((text) => text.split(':'));
    expect(first.map(([, index, name]) => [index, name])[0]).toEqual([label!.data![0], label!.data![0]]);
    expect(Number(first[0]![0])).toBeGreaterThanOrEqual(Number(first[1]![0]));
  });

  it('counts the images of a tensor in the metrics, and its batch', async () => {
    const values = async () => (await get('/metrics')).body;
    const numberOf = (text: string, name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))!
          .split(' ')[1],
      );
    const names = {
      'trainyard_predictions_total{outcome="ok"}': 64,
      trainyard_prediction_batch_images_sum: 64,
      trainyard_prediction_batch_images_count: 1,
      'trainyard_prediction_phase_seconds_count{phase="infer"}': 64,
      'trainyard_prediction_phase_seconds_count{phase="decode"}': 0,
      'trainyard_model_answers_total{model="mnist",alias="champion"}': 64,
    };
    const before = await values();
    await answerTo(binaryBody('FP32', [64, 28, 28, 1], bytesOfFloats(greys(64))));
    const after = await values();
    for (const [name, grown] of Object.entries(names))
      expect(numberOf(after, name) - numberOf(before, name), name).toBe(grown);
  });

  it('takes 256 images, and 256 as JSON', async () => {
    const { label } = (await answerTo(binaryBody('UINT8', [256, 784], Buffer.from(pixels(256))))).outputs;
    expect(label!.data).toHaveLength(256);
    expect((await inferJson({ datatype: 'FP32', shape: [256, 784], data: [...greys(256)] })).statusCode).toBe(
      200,
    );
  });
});

describe('a request that is not right', () => {
  const one = { datatype: 'UINT8', shape: [1, 784], data: Array(784).fill(0) };
  const json = (input: object, more: object = {}): Sent => ({
    payload: { inputs: [{ name: 'image', ...one, ...input }], ...more },
  });
  const floats = (value: number) => bytesOfFloats(Array.from({ length: 784 }, () => value));
  const badHeader = (length: string): Sent => ({
    ...binaryBody('FP32', [1, 784], floats(0)),
    headers: { 'inference-header-content-length': length },
  });
  const noHeader = (): Sent => ({ payload: binaryBody('FP32', [1, 784], floats(0)).payload });
  const announced = (size: unknown): Sent =>
    json({ data: undefined, parameters: { binary_data_size: size } });

  it.each<[string, Sent, number, RegExp]>([
    ['no body', {}, 400, /inputs: expected one input/],
    ['no JSON', { payload: '{' }, 400, /valid JSON/],
    ['a list', { payload: '[]' }, 400, /expected an object, got \[\]/],
    ['"__proto__"', { payload: '{"__proto__": {}}' }, 400, /__proto__/],
    ['no input', { payload: { inputs: [] } }, 400, /one input/],
    ['two inputs', { payload: { inputs: [one, one] } }, 400, /one input/],
    ['another datatype', json({ datatype: 'INT64' }), 400, /datatype/],
    ['channels first', json({ shape: [1, 1, 28, 28] }), 400, /\[N, 28, 28, 1\] .*got \[1, 1, 28, 28\]/],
    ['no image', json({ shape: [0, 784], data: [] }), 400, /N from 1 to 256/],
    ['many images', json({ shape: [257, 784] }), 400, /N from 1 to 256, got \[257, 784\]/],
    ['a huge shape', json({ shape: [2 ** 52, 28, 28, 1] }), 400, /N from 1 to 256/],
    ['a negative shape', json({ shape: [-1, 784] }), 400, /shape\.0/],
    ['a shape that is no integer', json({ shape: [1.5, 784] }), 400, /shape\.0/],
    [
      'an overflowing shape',
      { payload: '{"inputs":[{"name":"x","datatype":"FP32","shape":[1e999,784]}]}' },
      400,
      /shape\.0/,
    ],
    ['few numbers', json({ data: [1, 2, 3] }), 400, /expected 784 numbers .*got 3/],
    ['many numbers', json({ data: Array(785).fill(0) }), 400, /got more/],
    ['no data', json({ data: undefined }), 400, /expected data, or .*got neither/],
    ['text', json({ data: Array(784).fill('0') }), 400, /got a string at 0/],
    ['null', json({ data: Array(784).fill(null) }), 400, /got null/],
    ['a grey of 256', json({ data: Array(784).fill(256) }), 400, /integers from 0 to 255, got 256/],
    ['a broken grey', json({ data: Array(784).fill(0.5) }), 400, /integers from 0 to 255, got 0\.5/],
    ['FP32 of 255', json({ datatype: 'FP32', data: Array(784).fill(255) }), 400, /divided by 255/],
    ['deep nesting', json({ data: [[[[[0]]]]] }), 400, /4 levels/],
    ['NaN', binaryBody('FP32', [1, 784], floats(Number.NaN)), 400, /got NaN at 0 of image 0/],
    ['Infinity', binaryBody('FP32', [1, 784], floats(Number.POSITIVE_INFINITY)), 400, /got Infinity/],
    ['no header', noHeader(), 400, /valid JSON.*the header Inference-Header-Content-Length says/],
    ['no header, and no data', announced(3136), 400, /Inference-Header-Content-Length/],
    ['data beside bytes', json({ parameters: { binary_data_size: 784 } }), 400, /either data or/],
    ['a size that is text', announced('784'), 400, /binary_data_size/],
    ['a header past the end', badHeader('99999'), 400, /at most the \d+ of the body, got 99999/],
    ['a header that is no number', badHeader('-1'), 400, /got -1/],
    ['a header that overflows', badHeader('9'.repeat(400)), 400, /got 9{40}$/],
    ['a header of 0', badHeader('0'), 400, /expected one input/],
    ['few bytes', binaryBody('FP32', [1, 784], floats(0).subarray(1)), 400, /expected 3136 bytes .*got 3135/],
    [
      'bytes after the last',
      binaryBody('BYTES', [1], Buffer.concat([bytesElements(pictures.slice(0, 1)), Buffer.alloc(3)])),
      400,
      /3 bytes after/,
    ],
    [
      'a BYTES length past the end',
      binaryBody('BYTES', [1], Buffer.from([255, 255, 255, 255, 1])),
      400,
      /4294967295 bytes of BYTES element 0/,
    ],
    ['half a BYTES length', binaryBody('BYTES', [1], Buffer.from([1, 0])), 400, /four bytes of length/],
    ['few BYTES', binaryBody('BYTES', [2], bytesElements(pictures.slice(0, 1))), 400, /expected 2 BYTES/],
    ['many BYTES', binaryBody('BYTES', [17], Buffer.alloc(4 * 17)), 400, /N from 1 to 16/],
    [
      'BYTES that are no picture',
      binaryBody('BYTES', [1], bytesElements([Buffer.from('hello there, no picture')])),
      415,
      /expected a/,
    ],
    ['an empty picture', binaryBody('BYTES', [1], bytesElements([Buffer.alloc(0)])), 422, /expected/],
    ['no base64', json({ datatype: 'BYTES', shape: [1], data: ['?'] }), 400, /element 0 of data/],
    ['BYTES as numbers', json({ datatype: 'BYTES', shape: [1], data: [7] }), 400, /base64, got number/],
    ['an unknown output', json({}, { outputs: [{ name: 'logits' }] }), 400, /outputs\.0\.name/],
    [
      'an output twice',
      json({}, { outputs: [{ name: 'label' }, { name: 'label' }] }),
      400,
      /each output once/,
    ],
    [
      'the classification of labels',
      json({}, { outputs: [{ name: 'label', parameters: { classification: 1 } }] }),
      400,
      /classification/,
    ],
    [
      'no classes',
      json({}, { outputs: [{ name: 'probabilities', parameters: { classification: 0 } }] }),
      400,
      /classification/,
    ],
  ])('has %s', async (_name, sent, status, message) => {
    const response = await infer(sent);
    expect([response.statusCode, response.body]).toEqual([status, expect.stringMatching(/./)]);
    const { error, detail } = response.json<{ error: string; detail: string }>();
    expect(error).toMatch(message);
    expect(detail).toBe(error);
  });

  it('names no model, version or alias', async () => {
    for (const [path, status, message] of [
      ['/v2/models/letters', 404, /mnist, got letters/],
      ['/v2/models/constructor', 400, /a name other than "constructor"/],
      ['/v2/models/Letters', 400, /lower-case/],
      ['/v2/models/mnist/versions/9', 404, /got 9/],
      ['/v2/models/mnist/versions/0', 404, /got 0/],
      ['/v2/models/mnist/versions/best', 404, /alias of mnist \(champion\)/],
      ['/v2/models/letters/versions/1', 404, /1/],
      [`/v2/models/mnist/versions/${'9'.repeat(15)}`, 404, /got 9{15}/],
    ] as const) {
      const found = await get(path);
      expect([path, found.statusCode, found.json().error]).toEqual([
        path,
        status,
        expect.stringMatching(message),
      ]);
      const inferred = await infer(json({}), path);
      expect([path, inferred.statusCode]).toEqual([path, status]);
    }
    const missing = await get('/v2/unknown');
    expect([missing.statusCode, typeof missing.json().error]).toEqual([404, 'string']);
  });

  it('is too large', async () => {
    const large = await infer({ payload: Buffer.alloc(9 * 1024 * 1024, ' ') });
    expect([large.statusCode, large.json().error]).toEqual([413, expect.stringMatching(/bytes of JSON/)]);
    expect((await infer({ payload: Buffer.alloc(17 * 1024 * 1024) })).statusCode).toBe(413);
  });
});

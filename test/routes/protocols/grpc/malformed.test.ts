/**
 * Messages that are not right: each is refused with a reason, and none is a fault of the server. A failure prints the seed;
 * FUZZ_SEED=… runs it again. FAULTS=long sends 2,000.
 */
import { status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../../src/model/data/built-in.ts';
import { imageAt } from '../../../../src/model/data/dataset.ts';
import { encodePng } from '../../../../src/model/image/encode-png.ts';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { isLong } from '../../../long.ts';
import { type Parts, startParts } from '../../parts.ts';
import { bytesElements, bytesOfFloats } from '../v2-client.ts';
import { connect, type GrpcClient, input, message, openGrpcOn, raw, refusalOf } from './client.ts';

const each = isLong ? 1000 : 200;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const test = await readSplit('mnist', 'test');
const pictures = await Promise.all([0, 1].map((i) => encodePng(imageAt(test, i), 28, 28)));
const path = '/inference.GRPCInferenceService/ModelInfer';

let parts: Parts;
let server: GrpcServer;
let client: GrpcClient;
beforeAll(async () => {
  parts = await startParts();
  await parts.publishAndServe();
  server = await openGrpcOn(parts);
  client = connect(server.address);
});
afterAll(async () => {
  client.close();
  await server.close();
  await parts.close();
});

const size = fc.oneof(
  fc.constantFrom(0, 1, -1, 28, 784, 3136, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 62),
  fc.integer({ min: -10, max: 5000 }),
);
const shape = fc.oneof(
  fc.constantFrom([1, 28, 28, 1], [1, 784], [1], [2 ** 32, 784], [256, 784], []),
  fc.array(size, { maxLength: 6 }),
);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 4000 }),
  fc.constantFrom(3136, 784).map((length) => new Uint8Array(length).fill(255)), // floats: NaN
);
const contents = fc.record(
  {
    uint_contents: fc.array(fc.nat(300), { maxLength: 20 }),
    fp32_contents: fc.array(fc.float(), { maxLength: 20 }),
    bytes_contents: fc.array(anyBytes, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const anyInput = fc.record(
  {
    name: fc.constantFrom('image', ''),
    datatype: fc.constantFrom('FP32', 'UINT8', 'BYTES', 'INT64', ''),
    shape,
    contents,
  },
  { requiredKeys: [] },
);
const parameter = fc.constantFrom({ int64_param: 2 ** 40 }, { bool_param: true }, { string_param: 'x' }, {});
const output = fc.record(
  {
    name: fc.constantFrom('label', 'probabilities', 'logits', ''),
    parameters: fc.dictionary(fc.constantFrom('classification', 'binary_data'), parameter),
  },
  { requiredKeys: [] },
);
const messages = fc.record(
  {
    model_name: fc.constantFrom('mnist', 'mnist', 'mnist', 'letters', 'constructor', ''),
    model_version: fc.constantFrom('', '1', '0', 'champion', 'x'.repeat(100)),
    id: fc.string(),
    inputs: fc.array(anyInput, { maxLength: 2 }),
    outputs: fc.array(output, { maxLength: 4 }),
    raw_input_contents: fc.array(anyBytes, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const refusals = [status.INVALID_ARGUMENT, status.NOT_FOUND];
type Ended = { readonly error: { readonly code: number; readonly details: string } | null };

/** A message that has turned out right may be answered. */
function expectRefusal({ error }: Ended): void {
  if (error === null) return;
  expect(refusals, error.details).toContain(error.code);
  expect(error.details).toMatch(/^(?:expected|in the request|image \d)/);
}

it(`${each} malformed messages are refused with a reason (FUZZ_SEED=${seed})`, async () => {
  const property = fc.asyncProperty(messages, async (sent) =>
    expectRefusal(await client.call('ModelInfer', sent).outcome),
  );
  await expect(fc.assert(property, { numRuns: each, seed, endOnFailure: true })).resolves.toBeUndefined();
});

it(`${each} messages of any bytes are refused with a reason (FUZZ_SEED=${seed})`, async () => {
  const tagged = fc.tuple(fc.constantFrom(0x0a, 0x2a, 0x32, 0x3a, 0x0b), fc.uint8Array({ maxLength: 300 }));
  const property = fc.asyncProperty(tagged, async ([tag, rest]) =>
    expectRefusal(await client.callRaw(path, Buffer.from([tag, ...rest]))),
  );
  await expect(fc.assert(property, { numRuns: each, seed, endOnFailure: true })).resolves.toBeUndefined();
});

it('goes on answering', async () => {
  expect((await client.call('ServerReady', {}).outcome).answer).toEqual({ ready: true });
});

describe('a call that is not right', () => {
  const one = input('UINT8', [1, 784], { uint_contents: Array(784).fill(0) });
  const floats = (value: number) => bytesOfFloats(Array.from({ length: 784 }, () => value));
  it.each<[string, object, string, RegExp]>([
    ['no input', { model_name: 'mnist' }, 'INVALID_ARGUMENT', /one input/],
    ['two inputs', message(one, { inputs: [one, one] }), 'INVALID_ARGUMENT', /one input/],
    ['no data', message(input('FP32', [1, 784])), 'INVALID_ARGUMENT', /contents or raw_input_contents/],
    ['data twice', message(one, { raw_input_contents: [floats(0)] }), 'INVALID_ARGUMENT', /got both/],
    [
      'raw data for more inputs',
      message(input('UINT8', [1, 784]), { raw_input_contents: [floats(0), floats(0)] }),
      'INVALID_ARGUMENT',
      /one entry .* got 2/,
    ],
    ['another datatype', raw('INT64', [1, 784], floats(0)), 'INVALID_ARGUMENT', /datatype/],
    ['channels first', raw('FP32', [1, 1, 28, 28], floats(0)), 'INVALID_ARGUMENT', /got \[1, 1, 28, 28\]/],
    ['no image', raw('FP32', [0, 784], Buffer.alloc(0)), 'INVALID_ARGUMENT', /N from 1 to 256/],
    ['many images', raw('UINT8', [257, 784], Buffer.alloc(257 * 784)), 'INVALID_ARGUMENT', /1 to 256/],
    ['a huge shape', raw('FP32', [2 ** 52, 784], floats(0)), 'INVALID_ARGUMENT', /N from 1 to 256/],
    ['an overflowing shape', raw('FP32', [2 ** 63 - 1024, 784], floats(0)), 'INVALID_ARGUMENT', /shape\.0/],
    ['a negative shape', raw('FP32', [-1, 784], floats(0)), 'INVALID_ARGUMENT', /shape\.0/],
    ['few bytes', raw('FP32', [1, 784], floats(0).subarray(1)), 'INVALID_ARGUMENT', /3136 bytes .*3135/],
    [
      'few numbers',
      message(input('FP32', [1, 784], { fp32_contents: [0] })),
      'INVALID_ARGUMENT',
      /expected 784 numbers .*got 1 in fp32_contents/,
    ],
    ['numbers of another type', message({ ...one, datatype: 'FP32' }), 'INVALID_ARGUMENT', /got 0 in fp32/],
    ['NaN', raw('FP32', [1, 784], floats(Number.NaN)), 'INVALID_ARGUMENT', /got NaN at 0 of image 0/],
    [
      'typed NaN',
      message(input('FP32', [1, 784], { fp32_contents: Array(784).fill(Number.NaN) })),
      'INVALID_ARGUMENT',
      /got NaN at 0 of image 0 in fp32_contents/,
    ],
    [
      'a grey of 256',
      message(input('UINT8', [1, 784], { uint_contents: Array(784).fill(256) })),
      'INVALID_ARGUMENT',
      /got 256/,
    ],
    [
      'few BYTES',
      raw('BYTES', [2], bytesElements(pictures.slice(0, 1))),
      'INVALID_ARGUMENT',
      /expected 2 BYTES/,
    ],
    ['many BYTES', raw('BYTES', [17], Buffer.alloc(4 * 17)), 'INVALID_ARGUMENT', /N from 1 to 16/],
    [
      'few typed BYTES',
      message(input('BYTES', [2], { bytes_contents: pictures.slice(0, 1) })),
      'INVALID_ARGUMENT',
      /expected 2 BYTES elements.* got 1/,
    ],
    [
      'BYTES that are no picture',
      message(input('BYTES', [1], { bytes_contents: [Buffer.from('hello there')] })),
      'INVALID_ARGUMENT',
      /expected a/,
    ],
    ['an unknown output', message(one, { outputs: [{ name: 'logits' }] }), 'INVALID_ARGUMENT', /outputs\.0/],
    [
      'no classes',
      message(one, {
        outputs: [{ name: 'probabilities', parameters: { classification: { string_param: '3' } } }],
      }),
      'INVALID_ARGUMENT',
      /classification/,
    ],
    [
      'thousands of dimensions',
      message(input('UINT8', Array(5000).fill(1), { uint_contents: [0] })),
      'INVALID_ARGUMENT',
      /at most 1000 fields/,
    ],
    [
      'thousands of pictures',
      message(input('BYTES', [1], { bytes_contents: Array(5000).fill(Buffer.alloc(0)) })),
      'INVALID_ARGUMENT',
      /at most 1000 fields/,
    ],
    [
      'a million numbers',
      message(input('FP32', [1, 784], { fp32_contents: Array(1_000_000).fill(0) })),
      'INVALID_ARGUMENT',
      /at most 256 images/,
    ],
    ['no model', { inputs: [one] }, 'INVALID_ARGUMENT', /lower-case/],
    ['"constructor"', message(one, { model_name: 'constructor' }), 'INVALID_ARGUMENT', /a name other than/],
    ['another model', message(one, { model_name: 'letters' }), 'NOT_FOUND', /mnist, got letters/],
    ['another version', message(one, { model_version: '9' }), 'NOT_FOUND', /9/],
    ['version 0', message(one, { model_version: '0' }), 'NOT_FOUND', /got 0/],
    ['another alias', message(one, { model_version: 'best' }), 'NOT_FOUND', /alias of mnist/],
    [
      'more than 16 MiB',
      raw('FP32', [1, 784], Buffer.alloc(16 * 1024 * 1024 + 1)),
      'RESOURCE_EXHAUSTED',
      /larger than max/,
    ],
  ])('has %s', async (_name, sent, code, details) => {
    expect(await refusalOf(client, 'ModelInfer', sent)).toMatchObject({
      code,
      details: expect.stringMatching(details),
    });
  });

  it('is no message, or for no method', async () => {
    for (const bytes of [Buffer.alloc(1000, 0x0b), Buffer.from([0x2a, 0xff, 0x7f, 1])]) {
      const { error } = await client.callRaw(path, bytes);
      expect([error?.code, error?.details]).toEqual([
        status.INVALID_ARGUMENT,
        expect.stringMatching(/^expected a message/),
      ]);
    }
    const { error } = await client.callRaw('/inference.GRPCInferenceService/ModelTrain', Buffer.alloc(0));
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });
});

/** Messages that are not right, one of each kind; test/faults/malformed-grpc.test.ts draws many. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../../src/model/data/built-in.ts';
import { imageAt } from '../../../../src/model/data/dataset.ts';
import { encodePng } from '../../../../src/model/image/encode-png.ts';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../../parts.ts';
import { bytesElements, bytesOfFloats } from '../v2-client.ts';
import { connect, type GrpcClient, input, message, openGrpcOn, raw, refusalOf } from './client.ts';

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
      /at most 16777216 bytes/,
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

/** Texts of clients that a status repeats: whatever they hold, the call is answered and the server stays. */
import { status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../../parts.ts';
import { connect, type GrpcClient, openGrpcOn, refusalOf } from './client.ts';

let parts: Parts;
let server: GrpcServer;
let client: GrpcClient;
beforeAll(async () => {
  parts = await startParts({ predicts: false });
  server = await openGrpcOn(parts);
  client = connect(server.address);
});
afterAll(async () => {
  client.close();
  await server.close();
  await parts.close();
});

/** One message for each text that an error may repeat. */
const messagesWith = (text: string): [string, object][] => {
  const one = { name: 'image', datatype: 'FP32', shape: [1, 784] };
  return [
    ['Check', { service: text }],
    ['ModelReady', { name: text }],
    ['ModelMetadata', { name: 'mnist', version: `${text}!` }],
    ['ModelInfer', { model_name: text }],
    ['ModelInfer', { model_name: 'mnist', model_version: `${text}!` }],
    ['ModelInfer', { model_name: 'mnist', inputs: [{ ...one, datatype: text }] }],
    ['ModelInfer', { model_name: 'mnist', inputs: [{ ...one, name: text.repeat(201) }] }],
    ['ModelInfer', { model_name: 'mnist', inputs: [one], outputs: [{ name: text }] }],
  ];
};
const refused = ['INVALID_ARGUMENT', 'NOT_FOUND', 'UNAVAILABLE'];

it.each([
  ['at the cut', `${'a'.repeat(79)}😀`],
  ['everywhere', '😀'.repeat(1500)],
  ['after an odd number of letters', `a${'😀'.repeat(1500)}`],
])('characters outside the BMP %s', async (_where, text) => {
  for (const [method, message] of messagesWith(text)) {
    const { code, details } = await refusalOf(client, method, message);
    expect(refused, `${method} ${details}`).toContain(code);
    expect(details.length).toBeGreaterThan(0);
    expect(() => encodeURI(details)).not.toThrow();
  }
});

it('half a character, as bytes', async () => {
  const half = Buffer.from([0xed, 0xa0, 0xbd]); // U+D83D
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([8 * number + 2, bytes.length]), bytes]);
  const path = '/inference.GRPCInferenceService/';
  for (const [method, message] of [
    ['/grpc.health.v1.Health/Check', field(1, half)],
    [`${path}ModelReady`, field(1, half)],
    [`${path}ModelMetadata`, Buffer.concat([field(1, Buffer.from('mnist')), field(2, half)])],
    [`${path}ModelInfer`, Buffer.concat([field(1, Buffer.from('mnist')), field(5, field(2, half))])],
  ] as const) {
    const { error } = await client.callRaw(method, message);
    expect([status.INVALID_ARGUMENT, status.NOT_FOUND], `${method} ${error?.details}`).toContain(error?.code);
  }
});

it('any text', async () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.tuple(fc.nat(90), fc.string({ unit: 'binary', maxLength: 20 })).map(([n, end]) => 'a'.repeat(n) + end),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const outcomes = await Promise.all(
        messagesWith(text).map(([method, message]) => refusalOf(client, method, message)),
      );
      for (const { code } of outcomes) expect([null, ...refused]).toContain(code);
    }),
    { numRuns: 25 },
  );
  expect((await client.call('ServerLive', {}).outcome).answer).toEqual({ live: true });
});

/** Triton's clients may name shared memory for an input or an output: it is refused, over REST and over gRPC. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GrpcServer } from '../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../parts.ts';
import { connect, type GrpcClient, openGrpcOn, refusalOf } from './grpc/client.ts';

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

const image = { name: 'image', datatype: 'UINT8', shape: [1, 784] };
const expected = (name: string) => new RegExp(`got ${name}; shared memory is not offered`);
const names = ['shared_memory_region', 'shared_memory_offset', 'shared_memory_byte_size'];

it.each(names)('over REST: %s', async (name) => {
  const parameters = { [name]: 1 };
  const data = Array(784).fill(0);
  const bodies = [
    { inputs: [{ ...image, parameters }] },
    { inputs: [{ ...image, data }], outputs: [{ name: 'label' }, { name: 'verdict', parameters }] },
  ];
  for (const payload of bodies) {
    const response = await parts.app.inject({ method: 'POST', url: '/v2/models/mnist/infer', payload });
    expect(response.statusCode, response.body).toBe(400);
    expect(response.json().error).toMatch(expected(name));
  }
});

it.each(names)('over gRPC: %s', async (name) => {
  const parameters = { [name]: { string_param: 'mine' } };
  const sent = { model_name: 'mnist', raw_input_contents: [Buffer.alloc(784)] };
  const messages = [
    { model_name: 'mnist', inputs: [{ ...image, parameters }] },
    { ...sent, inputs: [image], outputs: [{ name: 'probabilities', parameters }] },
  ];
  for (const message of messages) {
    const { code, details } = await refusalOf(client, 'ModelInfer', message);
    expect([code, details]).toEqual(['INVALID_ARGUMENT', expect.stringMatching(expected(name))]);
  }
});

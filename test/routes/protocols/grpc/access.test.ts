/** Who may call: keys, the rate limit, and this machine. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../../parts.ts';
import { connect, type GrpcClient, openGrpcOn, refusalOf } from './client.ts';

const key = 'a-key-of-some-length';

let parts: Parts;
let server: GrpcServer;
let guarded: GrpcServer;
let client: GrpcClient;
let guardedClient: GrpcClient;
beforeAll(async () => {
  parts = await startParts({ predicts: false });
  server = await openGrpcOn(parts);
  guarded = await openGrpcOn(parts, { access: { apiKeys: [key], requestsPerMinute: 4 } });
  [client, guardedClient] = [connect(server.address), connect(guarded.address)];
});
afterAll(async () => {
  for (const each of [client, guardedClient]) each.close();
  await Promise.all([server.close(), guarded.close()]);
  await parts.close();
});

it('wants a key, in either form, but not from probes', async () => {
  const ask = (metadata: Record<string, string>) =>
    refusalOf(guardedClient, 'ModelReady', { name: 'mnist' }, metadata);
  const refused = { code: 'UNAUTHENTICATED', errorCode: 'UNAUTHORIZED' };
  expect(await ask({})).toMatchObject({ ...refused, details: expect.stringMatching(/got none/) });
  for (const wrong of [{ 'x-api-key': `${key}x` }, { authorization: 'Bearer' }, { authorization: key }])
    expect(await ask(wrong)).toMatchObject(refused);
  for (const right of [{ 'x-api-key': key }, { authorization: `bearer ${key}` }])
    expect(await ask(right)).toMatchObject({ code: null });
  expect((await guardedClient.call('Check', {}).outcome).answer).toEqual({ status: 'NOT_SERVING' });
  expect((await guardedClient.call('ServerLive', {}).outcome).answer).toEqual({ live: true });
});

it('limits the calls of a key', async () => {
  const metadata = { 'x-api-key': key };
  const calls = Array.from(
    { length: 6 },
    () => guardedClient.call('ServerMetadata', {}, { metadata }).outcome,
  );
  const errors = (await Promise.all(calls)).flatMap(({ error }) => error ?? []);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors[0]!.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(errors[0]!.metadata.get('retry-after')[0]).toMatch(/^\d+$/);
});

it('answers this machine alone where there is no key', async () => {
  const forwarded = { 'x-forwarded-for': '127.0.0.1' };
  const refused = { code: 'PERMISSION_DENIED', errorCode: 'OTHER_SITE' };
  expect(await refusalOf(client, 'ServerMetadata', {}, forwarded)).toMatchObject(refused);
  const call = client.call('ServerMetadata', {}, { options: { host: 'trainyard.example' } });
  expect((await call.outcome).error?.code).toBe(status.PERMISSION_DENIED);
});

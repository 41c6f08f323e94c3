/** Who may call: keys, the rate limit, and this machine. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrustProxy } from '../../../../src/routes/http/proxies.ts';
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

it.each<[string, TrustProxy, string[], (string | null)[]]>([
  ['no proxy is trusted', false, ['10.0.0.1', '10.0.0.2'], [null, 'RESOURCE_EXHAUSTED']],
  ['another is', ['10.9.9.9'], ['10.0.0.1', '10.0.0.2'], [null, 'RESOURCE_EXHAUSTED']],
  ['it is', ['127.0.0.1'], ['10.0.0.1', '10.0.0.2'], [null, null]],
  ['all are', true, ['10.0.0.1', '10.0.0.2'], [null, null]],
  ['the same client comes twice', ['loopback'], ['10.0.0.1', '10.0.0.1'], [null, 'RESOURCE_EXHAUSTED']],
  [
    'the client makes up where it comes from',
    ['127.0.0.1'],
    ['10.0.0.7, 10.0.0.1', '10.0.0.8, 10.0.0.1'],
    [null, 'RESOURCE_EXHAUSTED'],
  ],
  [
    'two proxies are',
    ['loopback', '10.1.0.0/16'],
    ['10.0.0.1, 10.1.0.1', '10.0.0.2, 10.1.0.1'],
    [null, null],
  ],
  ['no address came', ['127.0.0.1'], ['no address', 'no address'], [null, 'RESOURCE_EXHAUSTED']],
])('counts the calls of each client behind a proxy where %s', async (_name, trustProxy, froms, expected) => {
  const access = { allowAnonymous: true, trustProxy, requestsPerMinute: 1 };
  const proxied = await openGrpcOn(parts, { access });
  const caller = connect(proxied.address);
  const codes: (string | null | undefined)[] = [];
  for (const from of froms)
    codes.push((await refusalOf(caller, 'ServerMetadata', {}, { 'x-forwarded-for': from })).code);
  expect(codes).toEqual(expected);
  caller.close();
  await proxied.close();
});

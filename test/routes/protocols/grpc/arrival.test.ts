/** What calls may hold before their message is whole, and how long. */
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import zlib from 'node:zlib';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createMetrics } from '../../../../src/routes/metrics.ts';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../../parts.ts';
import { connect, openGrpcOn } from './client.ts';
import { begin, connectRaw, framed, health, inference, leave } from './raw-call.ts';

const lines: { route: string; status: string }[] = [];
const log = pino<string>({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const metrics = createMetrics();
const mebibyte = 1024 * 1024;
const largest = 16 * mebibyte;

let parts: Parts;
let server: GrpcServer;
let session: ClientHttp2Session;
beforeAll(async () => {
  parts = await startParts({ predicts: false });
  server = await openGrpcOn(parts, { metrics, log });
});
afterAll(async () => {
  await server.close();
  await parts.close();
});
beforeEach(async () => {
  session = await connectRaw(server.address);
});
afterEach(() => session.destroy());

const infer = `${inference}ModelInfer`;
const full = { code: 'RESOURCE_EXHAUSTED', errorCode: 'OVERLOADED' };

it('counts messages that have not arrived whole, and forgets them with their calls', async () => {
  const part = framed(Buffer.alloc(15 * mebibyte), { length: largest });
  const calls = Array.from({ length: 6 }, () => begin(session, infer));
  for (const { stream } of calls) stream.write(part);
  const first = await Promise.race(calls.map(({ ended }) => ended));
  expect(first).toMatchObject(full);
  expect(lines.at(-1)).toMatchObject({ route: infer, status: 'RESOURCE_EXHAUSTED' });
  await Promise.all(calls.map(({ stream }) => leave(stream)));
  const client = connect(server.address);
  await expect
    .poll(async () => (await client.call('ModelInfer', { model_name: 'mnist' }).outcome).error?.details)
    .toMatch(/one input/);
  client.close();
});

it('counts compressed messages as what they may become', async () => {
  const bomb = framed(zlib.gzipSync(Buffer.alloc(largest)), { compressed: true });
  const calls = Array.from({ length: 40 }, () => begin(session, infer, { 'grpc-encoding': 'gzip' }));
  for (const { stream } of calls) stream.write(bomb);
  expect(await Promise.race(calls.map(({ ended }) => ended))).toMatchObject(full);
});

it('inflates nothing of a call that is refused', async () => {
  const inflate = vi.spyOn(zlib, 'createGunzip'); // as grpc-js calls it
  const bomb = framed(zlib.gzipSync(Buffer.alloc(1024 * 1024)), { compressed: true });
  const { stream, ended } = begin(session, infer, { 'grpc-encoding': 'gzip' });
  stream.write(Buffer.concat(Array.from({ length: 200 }, () => bomb)));
  expect(await ended).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: expect.stringMatching(/one message/),
  });
  expect(inflate).not.toHaveBeenCalled();
  inflate.mockRestore();
});

it('takes small messages of probes only, in few pieces', async () => {
  for (const method of ['Check', 'Watch']) {
    const { stream, ended } = begin(session, health + method);
    stream.write(framed(Buffer.alloc(20_000), { length: 1_000_000 }));
    expect(await ended).toMatchObject({ code: 'RESOURCE_EXHAUSTED', errorCode: 'BODY_TOO_LARGE' });
  }
  const { stream, ended } = begin(session, `${inference}ServerLive`);
  const bytes = framed(Buffer.alloc(100), { length: 101 });
  for (const byte of bytes)
    if (!stream.destroyed) await new Promise((sent) => stream.write(Buffer.of(byte), sent));
  expect(await ended).toMatchObject({ errorCode: 'BODY_TOO_LARGE' });
});

it('refuses a message that says it is too large before it comes', async () => {
  const { stream, ended } = begin(session, infer);
  stream.write(framed(Buffer.alloc(0), { length: largest + 1 }));
  expect(await ended).toEqual({
    code: 'RESOURCE_EXHAUSTED',
    errorCode: 'BODY_TOO_LARGE',
    details: `expected a message of at most ${largest} bytes, got a larger one`,
  });
  expect(lines.at(-1)).toMatchObject({ route: infer, status: 'RESOURCE_EXHAUSTED' });
});

it('waits for a message for a while only, and as long for its answer to be taken', async () => {
  const quick = await openGrpcOn(parts, { timing: { message: 200 } });
  const own = await connectRaw(quick.address);
  const nothing = begin(own, infer);
  expect(await nothing.ended).toMatchObject({ code: 'DEADLINE_EXCEEDED', errorCode: 'REQUEST_TIMEOUT' });
  await once(nothing.stream, 'close'); // the client never ended it
  const part = begin(own, `${health}Check`);
  part.stream.write(framed(Buffer.alloc(1), { length: 5 }));
  expect(await part.ended).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  const watching = begin(own, `${health}Watch`);
  watching.stream.end(framed(Buffer.alloc(0)));
  await once(watching.stream, 'data');
  const later = begin(own, infer);
  await later.ended; // as long after the message of Watch was whole
  expect(watching.stream.closed).toBe(false);
  own.destroy();
  await quick.close();
});

it('lets 1,000 calls arrive at a time', async () => {
  const sessions = await Promise.all(Array.from({ length: 11 }, () => connectRaw(server.address)));
  const calls = sessions.flatMap((each) => Array.from({ length: 95 }, () => begin(each, `${health}Check`)));
  expect(await Promise.race(calls.map(({ ended }) => ended))).toMatchObject(full);
  for (const { stream } of calls) stream.end(framed(Buffer.alloc(0)));
  const codes = (await Promise.all(calls.map(({ ended }) => ended))).map(({ code }) => code);
  expect(codes.filter((code) => code === 'OK')).toHaveLength(1000);
  for (const each of sessions) each.close();
  const again = begin(session, `${health}Check`);
  again.stream.end(framed(Buffer.alloc(0)));
  expect(await again.ended).toMatchObject({ code: 'OK' });
});

it.each([
  [
    'damaged gzip',
    { 'grpc-encoding': 'gzip' },
    framed(Buffer.from('hello'), { compressed: true }),
    'INVALID_ARGUMENT',
    /grpc-encoding/,
  ],
  [
    'an unknown compression',
    { 'grpc-encoding': 'br' },
    framed(Buffer.alloc(9), { compressed: true }),
    'UNIMPLEMENTED',
    /br/,
  ],
  [
    'a damaged time-out',
    { 'grpc-timeout': 'soon' },
    framed(Buffer.alloc(0)),
    'INVALID_ARGUMENT',
    /grpc-timeout/,
  ],
  ['no message', {}, Buffer.alloc(0), 'UNIMPLEMENTED', /no request message/],
  [
    'two messages',
    {},
    Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]),
    'INVALID_ARGUMENT',
    /one message/,
  ],
])('refuses, counts and logs %s', async (_name, headers, bytes, code, details) => {
  lines.length = 0;
  const { stream, ended } = begin(session, `${inference}ServerMetadata`, headers);
  stream.end(bytes);
  expect(await ended).toMatchObject({ code, details: expect.stringMatching(details) });
  expect(lines).toMatchObject([{ status: code }]);
  const text = await metrics.registry.metrics();
  expect(text).toMatch(new RegExp(`count\\{method="ServerMetadata",status="${code}"\\} [1-9]`));
});

it('takes compressed messages', async () => {
  const { stream, ended } = begin(session, infer, { 'grpc-encoding': 'gzip' });
  stream.end(
    framed(zlib.gzipSync(Buffer.concat([Buffer.of(10, 5), Buffer.from('mnist')])), { compressed: true }),
  );
  expect(await ended).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: expect.stringMatching(/one input/),
  });
});

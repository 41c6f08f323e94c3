import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createReceived, readWhole } from '../../../src/routes/http/received-body.ts';

const response = () => new EventEmitter() as ServerResponse;

describe('bytes received', () => {
  it('of all requests together stay under the limit, and an ended one makes room', () => {
    const received = createReceived(100, 0);
    const first = response();
    const [a, b] = [received.open(first), received.open(response())];
    expect([a.take(60), b.take(50), b.take(40)]).toEqual([true, false, true]);
    first.emit('close');
    expect([b.take(61), b.take(60)]).toEqual([false, true]);
    expect(b.refusal().options).toMatchObject({ status: 503, code: 'OVERLOADED', retryAfterSeconds: 1 });
  });

  it('count for more than themselves when they come in small pieces', () => {
    const received = createReceived(1000, 400);
    const account = received.open(response());
    expect([1, 1, 1].map((bytes) => account.take(bytes))).toEqual([true, true, false]);
  });

  it('are all given back, whatever came in which order', () => {
    const step = fc.record({ request: fc.nat(4), bytes: fc.nat(60), ends: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const received = createReceived(100, 0);
        const responses = Array.from({ length: 5 }, response);
        const accounts = responses.map((one) => received.open(one));
        for (const { request, bytes, ends } of steps) {
          accounts[request]!.take(bytes);
          if (ends) responses[request]!.emit('close');
        }
        for (const one of responses) one.emit('close');
        expect(received.open(response()).take(100)).toBe(true);
      }),
    );
  });
});

describe('a body', () => {
  const request = { headers: {} } as FastifyRequest;
  const read = (limit = 100, room = 100) => {
    const payload = new PassThrough();
    const body = readWhole(request, payload, createReceived(room, 0).open(response()), limit);
    return { payload, body };
  };

  it('is read whole, in however many pieces it comes', async () => {
    const { payload, body } = read();
    for (const piece of ['a', 'bc', '']) payload.write(piece);
    payload.end('d');
    expect((await body).toString()).toBe('abcd');
  });

  it('that ends early is told from one that is whole', async () => {
    const { payload, body } = read();
    payload.write('abc');
    payload.destroy(new Error('aborted'));
    await expect(body).rejects.toMatchObject({ options: { status: 400, code: 'BODY_CUT_SHORT' } });
  });

  it('that is gone before it is read ends early', async () => {
    const body = readWhole(request, new PassThrough().destroy(), null, 100);
    await expect(body).rejects.toMatchObject({ options: { status: 400, code: 'BODY_CUT_SHORT' } });
  });

  it('that is destroyed without an error ends early too', async () => {
    const { payload, body } = read();
    payload.destroy();
    await expect(body).rejects.toMatchObject({ options: { code: 'BODY_CUT_SHORT' } });
  });

  it('that is too long, or for which there is no room, is refused and read to its end all the same', async () => {
    for (const [limit, room, problem] of [
      [2, 100, { code: 'FST_ERR_CTP_BODY_TOO_LARGE' }],
      [100, 2, { options: { status: 503, code: 'OVERLOADED' } }],
    ] as const) {
      const { payload, body } = read(limit, room);
      payload.write('abc');
      await expect(body).rejects.toMatchObject(problem);
      const ended = new Promise((resolve) => payload.on('end', resolve));
      payload.end('def');
      await ended;
    }
  });

  describe('that is compressed', () => {
    const inflated = randomBytes(1000);
    const encoded = gzipSync(inflated); // a little more than 1000 bytes
    const encodedRequest = { headers: { 'content-encoding': 'gzip' } } as FastifyRequest;
    const readEncoded = (room: number, limit = 10_000, bytes = encoded) => {
      const account = createReceived(room, 0).open(response());
      return readWhole(encodedRequest, Readable.from([bytes]), account, limit);
    };

    it('counts as it arrives and as it is inflated', async () => {
      const both = encoded.length + inflated.length;
      expect(await readEncoded(both)).toEqual(inflated);
      const overloaded = { options: { status: 503, code: 'OVERLOADED' } };
      await expect(readEncoded(both - 1)).rejects.toMatchObject(overloaded);
      await expect(readEncoded(encoded.length - 1)).rejects.toMatchObject(overloaded);
    });

    it('is within the limit as it arrives and as it is inflated', async () => {
      const tooLarge = { code: 'FST_ERR_CTP_BODY_TOO_LARGE' };
      expect(await readEncoded(10_000, encoded.length)).toEqual(inflated);
      await expect(readEncoded(10_000, encoded.length - 1)).rejects.toMatchObject(tooLarge);
      await expect(readEncoded(10_000, 100, gzipSync(Buffer.alloc(101)))).rejects.toMatchObject(tooLarge);
    });

    it('takes little memory besides, however many there are at once', async () => {
      const params = {
        [constants.BROTLI_PARAM_LGWIN]: 24, // the largest window, 16 MiB
        [constants.BROTLI_PARAM_QUALITY]: 5, // by default it takes a second, for as many bytes
      };
      const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024), { params }); // 50 bytes or so
      const brotliRequest = { headers: { 'content-encoding': 'br' } } as FastifyRequest;
      const before = process.resourceUsage().maxRSS;
      const readings = Array.from({ length: 64 }, () =>
        readWhole(brotliRequest, Readable.from([bomb]), createReceived().open(response()), 100_000),
      );
      const outcomes = await Promise.allSettled(readings);
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(400 * 1024); // KiB; 64 windows are 1 GiB
    });

    it('of which no more than a part is read makes room for the next', async () => {
      const bomb = gzipSync(Buffer.alloc(1_000_000));
      for (let count = 0; count < 3; count++)
        await expect(readEncoded(1e6, 100_000, bomb)).rejects.toMatchObject({});
      expect(await readEncoded(10_000)).toEqual(inflated);
    });
  });
});

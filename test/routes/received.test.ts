import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReceived } from '../../src/routes/received.ts';

const response = () => new EventEmitter() as ServerResponse;

describe('bytes received', () => {
  it('of all requests together stay under the limit, and an ended one makes room', () => {
    const received = createReceived(100);
    const first = response();
    const [a, b] = [received.open(first), received.open(response())];
    expect([a.take(60), b.take(50), b.take(40)]).toEqual([true, false, true]);
    first.emit('close');
    expect([b.take(61), b.take(60)]).toEqual([false, true]);
    expect(b.refusal().options).toMatchObject({ status: 503, code: 'OVERLOADED', retryAfterSeconds: 1 });
  });

  it('are all given back, whatever came in which order', () => {
    const step = fc.record({ request: fc.nat(4), bytes: fc.nat(60), ends: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const received = createReceived(100);
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

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateMeter } from '../../src/lib/rate-meter.ts';

/** A meter and its clock, in ms. */
function metered(initial = 100) {
  const clock = { ms: 0 };
  return { clock, meter: createRateMeter(initial, () => clock.ms) };
}

describe('rate meter', () => {
  it('has the initial rate until a second of work is over', () => {
    const { clock, meter } = metered();
    meter.busy();
    clock.ms = 999;
    meter.count();
    expect(meter.perSecond()).toBe(100);
  });

  it('counts what was done in a second of work', () => {
    const { clock, meter } = metered();
    meter.busy();
    for (let done = 1; done <= 20; done++) {
      clock.ms += 50;
      meter.count();
    }
    expect(meter.perSecond()).toBe(20);
  });

  it('is not slowed by idle time, however long and wherever it falls', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e7), { minLength: 40, maxLength: 40 }), (pauses) => {
        const { clock, meter } = metered();
        for (const pause of pauses) {
          meter.busy();
          clock.ms += 50;
          meter.count();
          meter.idle();
          clock.ms += pause;
        }
        expect(meter.perSecond()).toBe(20);
      }),
    );
  });
});

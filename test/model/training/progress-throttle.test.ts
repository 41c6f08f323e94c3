import { describe, expect, it } from 'vitest';
import { createProgressThrottle } from '../../../src/model/training/progress-throttle.ts';

const stepMs = 10;

describe('the progress reports of a run', () => {
  it.each([
    ['a minute', 60, 240],
    ['an hour', 3600, 3670],
    ['a day', 86_400, 12_330],
  ])('of %s stay within what is kept with a job', (_, seconds, about) => {
    let now = 0;
    const isDue = createProgressThrottle(250, () => now);
    let reports = 0;
    for (; now < 1000 * seconds; now += stepMs) if (isDue()) reports++;
    expect(reports).toBeLessThanOrEqual(1.02 * about);
    expect(reports).toBeGreaterThan(0.9 * about);
  });
});

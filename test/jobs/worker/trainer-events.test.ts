import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { emptyReport } from '../../../src/jobs/contract.ts';
import { createCourse } from '../../../src/jobs/worker/trainer-events.ts';

const stepMs = 250; // as trainers report
const progress = {
  epoch: 3,
  epochs: 16,
  step: 1407,
  steps: 7504,
  fraction: 1407 / 7504,
  loss: 0.5213462531566619,
  imagesPerSecond: 3451.2345678,
  etaSeconds: 123.456789,
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** The texts of a run's progress events. */
function tell(seconds: number): string[] {
  const course = createCourse(1);
  const texts: string[] = [];
  for (let ms = 0; ms < 1000 * seconds; ms += stepMs) {
    vi.advanceTimersByTime(stepMs);
    const events = course.eventsOf({ type: 'progress', progress }, emptyReport, emptyReport);
    texts.push(...events.map((event) => JSON.stringify(event)));
  }
  return texts;
}

describe('what is kept of the progress of a run', () => {
  it.each([
    ['a minute', 60, 240],
    ['an hour', 3600, 3300],
    ['a day', 86_400, 11_900],
  ])('of %s', (name, seconds, about) => {
    const texts = tell(seconds);
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    console.log(`${name}: ${texts.length} events, ${(bytes / 1000).toFixed(0)} kB`);
    expect(texts.length).toBeLessThanOrEqual(1.02 * about);
    expect(texts.length).toBeGreaterThan(0.9 * about);
    expect(bytes / texts.length).toBeLessThan(200);
  });
});

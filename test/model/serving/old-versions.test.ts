import { afterEach, expect, it, vi } from 'vitest';
import { OldVersions } from '../../../src/model/serving/old-versions.ts';

afterEach(() => void vi.useRealTimers());

it('forgets a pin after ten minutes, also while nothing is deleted', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const old = new OldVersions({
    store: { retain: async () => [] },
    registry: { models: async () => [], read: async () => null },
    keepModels: 1,
    report: () => {},
  });
  for (let version = 1; version <= 1000; version++) old.pin(version);
  vi.advanceTimersByTime(10 * 60_000);
  old.pin(1001);
  expect(old.pins).toBe(1);
});

import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../src/client/index.ts';
import { type Curve, curveOf, emptyCurve, foldEvent, smooth } from '../../web/src/train/curve.ts';

const at = '2026-01-01T00:00:00.000Z';
const engine = { name: 'wasm', device: 'wasm', gpu: false, fallback: null };

function started(resumedFromStep: number | null = null): JobEvent {
  return { type: 'started', at, engine, attempt: 1, resumedFromStep };
}

function progress(step: number, loss = 1 / step): JobEvent {
  const rest = { epoch: 1, epochs: 2, steps: 4000, imagesPerSecond: 100, etaSeconds: 9 };
  return { type: 'progress', at, step, loss, fraction: step / 4000, ...rest };
}

function epoch(number: number, testAccuracy: number): JobEvent {
  const rest = { trainLoss: 1, testLoss: 1, seconds: 2, modelVersion: number };
  return { type: 'epoch', at, epoch: number, testAccuracy, ...rest };
}

function fold(...events: JobEvent[]): Curve {
  return events.reduce(foldEvent, emptyCurve);
}

const steps = ({ points }: Curve) => points.map(({ step }) => step);

describe('a curve folded from events', () => {
  it('says where the job is in the queue, and no more once it runs', () => {
    const queued = fold({ type: 'queued', at, position: 2 });
    expect(queued).toMatchObject({ status: 'queued', position: 2 });
    expect(foldEvent(queued, started())).toMatchObject({ status: 'running', position: null });
  });

  it('has a point for each progress, and the newest progress', () => {
    const curve = fold(started(), progress(1), progress(5));
    expect(steps(curve)).toEqual([1, 5]);
    expect(curve.progress).toMatchObject({ step: 5, etaSeconds: 9 });
    expect(curve.progress).not.toHaveProperty('type');
  });

  it('drops what a resumed attempt does anew', () => {
    expect(steps(fold(started(), progress(10), progress(20), progress(30), started(20)))).toEqual([10, 20]);
    expect(steps(fold(started(), progress(10), started(null), progress(5)))).toEqual([5]);
  });

  it('takes a step that is told again as it was told last', () => {
    const curve = fold(started(), progress(10), progress(20, 0.5), progress(20, 0.25));
    expect(curve.points.map(({ loss }) => loss)).toEqual([0.1, 0.25]);
  });

  it('has each epoch once, those after a repeated one not yet', () => {
    const curve = fold(started(), epoch(1, 0.9), epoch(2, 0.95), epoch(1, 0.91));
    expect(curve.epochs).toMatchObject([{ epoch: 1, testAccuracy: 0.91 }]);
  });

  it('has with the epoch what was decided about its version', () => {
    const numbers = { against: 1, onlyCandidate: 11, onlyChampion: 267, p: 1e-9 };
    const shares = { accuracy: 0.665, accuracyAgainst: 0.921 };
    const rest = { champion: 1, ...numbers, ...shares, reason: 'significantly worse than model 1' };
    const kept = { type: 'kept', at, decision: 'kept', version: 2, ...rest } as const;
    const { epochs } = fold(started(), epoch(1, 0.6), epoch(2, 0.7), kept);
    expect(epochs[0]).not.toHaveProperty('promotion');
    expect(epochs[1]!.promotion).toEqual({ decision: 'kept', version: 2, ...rest });
  });

  it('stays small however long the job, and keeps the first steps and the newest', () => {
    const events = Array.from({ length: 4000 }, (_, index) => progress(index + 1));
    const curve = fold(started(), ...events);
    expect(curve.points.length).toBeGreaterThan(400);
    expect(curve.points.length).toBeLessThanOrEqual(1000);
    expect(steps(curve)[0]).toBeLessThan(20);
    expect(steps(curve).at(-1)).toBe(4000);
    expect(steps(curve)).toEqual(steps(curve).toSorted((a, b) => a - b));
  });

  it('tells what a job waits for until it goes on or ends', () => {
    const error = { code: 'DISK_FULL', message: 'no room' };
    const waiting = fold(started(), { type: 'trouble', at, error });
    expect(waiting.trouble).toEqual(error);
    expect(foldEvent(waiting, { type: 'trouble', at, error: null }).trouble).toBeNull();
    const done = { type: 'done', at, status: 'failed', modelVersion: null, error } as const;
    expect(foldEvent(waiting, done)).toMatchObject({ status: 'failed', trouble: null });
  });
});

it('a curve of an ended job is that of its metrics', () => {
  const curve = [{ step: 1, epoch: 1, loss: 2, imagesPerSecond: 3 }];
  const metrics = { id: 'a', status: 'cancelled' as const, steps: 9, curve, epochs: [] };
  expect(curveOf(metrics)).toMatchObject({ status: 'cancelled', points: curve, epochs: [] });
});

describe('a smoothed curve', () => {
  it('is as long as its values and begins with the first of them', () => {
    expect(smooth([])).toEqual([]);
    expect(smooth([4])[0]).toBeCloseTo(4);
  });

  it('leaves a constant alone and follows a change slowly', () => {
    for (const value of smooth([3, 3, 3])) expect(value).toBeCloseTo(3);
    const [, after] = smooth([0, 1], 0.5);
    expect(after).toBeCloseTo(2 / 3);
  });
});

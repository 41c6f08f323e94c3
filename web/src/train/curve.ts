/** A job's progress and curves, folded from its events or taken from its metrics. */
import type { Job, JobEvent, JobMetrics } from '../../../src/client/index.ts';

export type Curve = {
  readonly status: Job['status'];
  readonly position: number | null; // in the queue, from 1
  readonly device?: string; // it trains on
  readonly progress: Job['progress'];
  readonly points: JobMetrics['curve'];
  readonly epochs: Job['epochs'];
  readonly trouble: Job['error']; // why a running job waits
};

export const emptyCurve: Curve = {
  status: 'queued',
  position: null,
  progress: null,
  points: [],
  epochs: [],
  trouble: null,
};

const mostPoints = 1000; // more than a screen has columns

export function foldEvent(curve: Curve, event: JobEvent): Curve {
  switch (event.type) {
    case 'queued':
      return { ...curve, status: 'queued', position: event.position };
    case 'started': {
      const kept = event.resumedFromStep ?? 0; // later steps are repeated
      const points = curve.points.filter(({ step }) => step <= kept);
      const { device } = event.engine;
      return { ...curve, status: 'running', position: null, device, trouble: null, points };
    }
    case 'progress': {
      const { type: _, at: __, ...progress } = event;
      return { ...curve, status: 'running', progress, points: addPoint(curve.points, progress) };
    }
    case 'epoch': {
      const { type: _, at: __, ...epoch } = event;
      return { ...curve, epochs: [...curve.epochs.filter((each) => each.epoch < epoch.epoch), epoch] };
    }
    case 'trouble':
      return { ...curve, trouble: event.error };
    case 'done':
      return { ...curve, status: event.status, trouble: null };
    case 'promoted':
    case 'kept': {
      const { type: _, at: __, ...promotion } = event;
      const epochs = curve.epochs.map((each) =>
        each.modelVersion === promotion.version ? { ...each, promotion } : each,
      );
      return { ...curve, epochs };
    }
    case 'checkpoint':
      break; // the epoch event has the version, too
  }
  return curve;
}

/** The curve from a job's metrics. */
export function curveOf({ status, curve, epochs }: JobMetrics): Curve {
  return { ...emptyCurve, status, points: curve, epochs };
}

function addPoint(points: Curve['points'], progress: NonNullable<Curve['progress']>): Curve['points'] {
  const { step, epoch, loss, imagesPerSecond } = progress;
  const before = step > (points.at(-1)?.step ?? 0) ? points : points.filter((point) => point.step < step);
  const all = [...before, { step, epoch, loss, imagesPerSecond }];
  return all.length > mostPoints ? thin(all, step / (mostPoints / 2)) : all;
}

/** Keeps one point for each so many steps, and the newest. */
function thin(points: Curve['points'], steps: number): Curve['points'] {
  const place = (index: number) => Math.floor((points[index]?.step ?? -1) / steps);
  return points.filter((_, index) => index === points.length - 1 || place(index) !== place(index - 1));
}

/** The exponentially weighted running mean, without the bias of the first values (as in Adam); as long as `values`. */
export function smooth(values: readonly number[], weight = 0.7): number[] {
  let sum = 0;
  let weights = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    weights = weight * weights + (1 - weight);
    return sum / weights;
  });
}

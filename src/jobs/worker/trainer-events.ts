/** What a trainer tells, as events of its job. */
import type { PublishedEpoch } from '../../model/training/resume-point.ts';
import type { Progress } from '../../model/training/train.ts';
import type { TrainJobReport } from '../contract.ts';
import type { JobEvent } from '../events.ts';
import type { TrainerMessage } from './trainer-supervisor.ts';

type Course = {
  /** Reports as they are without and with this message. */
  eventsOf(message: TrainerMessage, before: TrainJobReport, after: TrainJobReport): JobEvent[];
};

const shortestMs = 240; // between two `progress` events; trainers report every 250 ms …
const longestMs = 10_000; // … and a run of hours is told in fewer: an hour in 3,300 events, a day in 11,900
const eventsBefore = 1000; // that a run has told when it begins to slow down

/** Of one attempt. */
export function createCourse(attempt: number): Course {
  const startedAt = performance.now();
  let progressAt = Number.NEGATIVE_INFINITY; // ms
  const isDue = ({ step, steps }: Progress) => {
    const now = performance.now();
    const pause = Math.min(Math.max(shortestMs, (now - startedAt) / eventsBefore), longestMs);
    if (now - progressAt < pause && step < steps) return false;
    progressAt = now;
    return true;
  };
  return {
    eventsOf: (message, before, { engine }) => {
      const at = new Date().toISOString();
      switch (message.type) {
        case 'resumed': {
          const { step = null, published = [] } = message.from ?? {};
          const untold = published.filter(({ epoch }) => !before.epochs.some((told) => told.epoch === epoch));
          return [
            ...untold.flatMap((epoch) => epochEvents(epoch, at)), // its worker was gone before it could
            { type: 'started', at, engine: engine!, attempt, resumedFromStep: step },
          ];
        }
        case 'progress':
          return isDue(message.progress) ? [{ type: 'progress', at, ...rounded(message.progress) }] : [];
        case 'epoch':
          return epochEvents(message.epoch, at);
        case 'trouble':
          return [{ type: 'trouble', at, error: message.trouble }];
        case 'engine': // told with `resumed`
        case 'saved':
        case 'warning':
        case 'outcome': // the end is told when the queue has it
        case 'fault':
          return [];
      }
      return message satisfies never;
    },
  };
}

function epochEvents(published: PublishedEpoch, at: string): JobEvent[] {
  const { epoch, testAccuracy, modelVersion } = published;
  return [
    { type: 'epoch', at, ...published },
    { type: 'checkpoint', at, modelVersion, epoch, testAccuracy },
  ];
}

/** Thousands of these are kept with a job. */
function rounded({ fraction, loss, imagesPerSecond, etaSeconds, ...counts }: Progress): Progress {
  return {
    ...counts,
    fraction: Number(fraction.toFixed(4)),
    loss: Number(loss.toPrecision(6)),
    imagesPerSecond: Math.round(imagesPerSecond),
    etaSeconds: Number(etaSeconds.toFixed(1)),
  };
}

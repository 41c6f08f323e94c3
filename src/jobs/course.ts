/** What a trainer tells, as events of its job. */
import type { TrainJobReport } from './contract.ts';
import type { JobEvent } from './events.ts';
import type { TrainerMessage } from './trainer.ts';

type Course = {
  /** `report`: as it is with this message. */
  eventsOf(message: TrainerMessage, report: TrainJobReport): JobEvent[];
};

const shortestMs = 240; // between two `progress` events; trainers report every 250 ms …
const longestMs = 2000; // … and a run of hours is told in fewer
const eventsBefore = 1000; // that a run has told when it begins to slow down

/** Of one attempt. */
export function createCourse(attempt: number): Course {
  const startedAt = performance.now();
  let progressAt = Number.NEGATIVE_INFINITY; // ms
  const isDue = (isLast: boolean) => {
    const now = performance.now();
    const pause = Math.min(Math.max(shortestMs, (now - startedAt) / eventsBefore), longestMs);
    if (now - progressAt < pause && !isLast) return false;
    progressAt = now;
    return true;
  };
  return {
    eventsOf: (message, { engine }) => {
      const at = new Date().toISOString();
      switch (message.type) {
        case 'resumed':
          return [
            { type: 'started', at, engine: engine!, attempt, resumedFromStep: message.from?.step ?? null },
          ];
        case 'progress': {
          const { progress } = message;
          return isDue(progress.step === progress.steps) ? [{ type: 'progress', at, ...progress }] : [];
        }
        case 'epoch': {
          const { epoch, testAccuracy, modelVersion } = message.epoch;
          return [
            { type: 'epoch', at, ...message.epoch },
            { type: 'checkpoint', at, modelVersion, epoch, testAccuracy },
          ];
        }
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

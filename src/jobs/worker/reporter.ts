/** Gathers what a trainer tells into one report and a list of events, and writes both to Redis a few times a second. */
import type { Logger } from 'pino';
import { reportEverySteps } from '../../model/training/train.ts';
import type { TrainJobReport } from '../contract.ts';
import { appendReport, type EventLog } from '../event-log.ts';
import type { JobEvent } from '../events.ts';
import type { Outage } from '../redis/outage.ts';
import { createCourse } from './trainer-events.ts';
import type { TrainerMessage } from './trainer-supervisor.ts';

const reportMs = 250; // at most four reports a second go to Redis
const longestPauseMs = 5000; // between two tries while Redis refuses them
const maxPending = 1000; // events

export type Reporter = {
  readonly onMessage: (message: TrainerMessage) => void;
  /** Resolves when Redis has all that was told, or has refused it once more. */
  flush(): Promise<void>;
};

export type ReportTarget = {
  readonly log: EventLog; // of the job
  readonly token: string; // of its lock
  readonly attempt: number; // from 1
};

/** Reports that Redis does not take are told to `outage`, and come with the next one. */
export function createReporter(
  target: ReportTarget,
  before: TrainJobReport,
  log: Logger,
  outage: Pick<Outage, 'failed' | 'worked'>,
): Reporter {
  // What an earlier attempt has reported stays until this one knows where it goes on from.
  let report: TrainJobReport = { ...before, resumedFromStep: null, trouble: null };
  let events: readonly JobEvent[] = []; // that Redis does not have
  let isDue = false; // whether there is something to write …
  let failures = 0; // … and how often in a row Redis has not taken it
  let writing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let batch = 0;
  const { token, attempt } = target;
  const course = createCourse(attempt);

  /** One write at a time, of what is newest then: while Redis is away one waits, and no more. */
  const writeNewest = async () => {
    do {
      const sent = events;
      [isDue, events] = [false, []];
      try {
        // BullMQ keeps a token from job to job, and may give it to another attempt at this one.
        const mark = `${token} ${attempt} ${++batch}`;
        const isOurs = await appendReport(target.log, { token, mark, report, events: sent });
        if (!isOurs) log.warn('report not written: the job is another worker’s by now');
        failures = 0;
        outage.worked('reports');
      } catch (error) {
        outage.failed('reports', error);
        events = bounded([...sent, ...events]);
        failures++;
      }
    } while (isDue && failures === 0);
    writing = null;
  };
  const write = () => {
    timer = null;
    if (isDue) writing ??= writeNewest();
  };
  return {
    onMessage: (message) => {
      logMessage(log, message);
      const next = apply(report, message);
      if (next === report) return;
      events = bounded([...events, ...course.eventsOf(message, report, next)]);
      report = next;
      isDue = true;
      timer ??= setTimeout(write, Math.min(reportMs * 2 ** failures, longestPauseMs));
    },
    flush: async () => {
      if (timer) clearTimeout(timer);
      await writing;
      isDue ||= failures > 0;
      write();
      await writing;
    },
  };
}

/** While Redis is away for long, the course between two epochs is what can be done without. */
function bounded(events: readonly JobEvent[]): readonly JobEvent[] {
  return events.length <= maxPending ? events : events.filter(({ type }) => type !== 'progress');
}

function apply(report: TrainJobReport, message: TrainerMessage): TrainJobReport {
  switch (message.type) {
    case 'engine':
      return { ...report, engine: message.engine };
    case 'resumed': {
      const { step, published } = message.from ?? { step: null, published: [] };
      const progress = step === null ? null : report.progress;
      return { ...report, progress, resumedFromStep: step, epochs: published };
    }
    case 'progress':
      return { ...report, progress: message.progress };
    case 'epoch':
      return { ...report, epochs: [...report.epochs, message.epoch] };
    case 'trouble':
      return { ...report, trouble: message.trouble };
    case 'saved':
    case 'warning':
    case 'outcome':
    case 'fault':
      return report;
  }
  return message satisfies never;
}

function logMessage(log: Logger, message: TrainerMessage): void {
  switch (message.type) {
    case 'engine':
      log.info({ engine: message.engine.name }, `training on ${message.engine.device}`);
      if (message.engine.fallback) log.warn(message.engine.fallback);
      break;
    case 'resumed':
      for (const warning of message.warnings) log.warn(warning);
      if (message.from) log.info(`resumed from step ${message.from.step}`);
      break;
    case 'epoch':
      log.info(message.epoch, 'epoch done');
      break;
    case 'saved':
      log.debug({ step: message.step, tensors: message.tensors }, 'resume point saved');
      break;
    case 'warning':
      log.warn(message.message);
      break;
    case 'trouble':
      if (message.trouble) log.error({ err: message.trouble }, message.trouble.message);
      else log.info('publishing goes on');
      break;
    case 'progress':
      logProgress(log, message.progress);
      break;
    case 'outcome':
    case 'fault': // the worker's
  }
}

function logProgress(
  log: Logger,
  { epoch, step, steps, loss }: NonNullable<TrainJobReport['progress']>,
): void {
  if (step % reportEverySteps === 0) log.info({ epoch, step, steps, loss }, `step ${step}/${steps}`);
}

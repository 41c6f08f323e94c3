/** Turns a trainer's messages into the job's report and events. */
import type { Logger } from 'pino';
import type { Promotion } from '../../model/registry/promotion.ts';
import type { PublishedEpoch } from '../../model/training/resume-point.ts';
import type { Progress } from '../../model/training/training-run.ts';
import type { TrainJobReport } from '../contract.ts';
import type { JobEvent } from '../events.ts';
import type { Outage } from '../redis/outage.ts';
import { defaultTimings } from './options.ts';
import { createReportWriter, type ReportTarget, type ReportWriter, type Retries } from './report-writer.ts';
import type { TrainerMessage } from './trainer-supervisor.ts';

export type Reporter = Pick<ReportWriter, 'flush'> & {
  readonly onMessage: (message: TrainerMessage) => void;
};

/** @param before what an earlier attempt reported; it stays until this attempt knows where it resumes */
export function createReporter(
  target: ReportTarget,
  before: TrainJobReport,
  log: Logger,
  outage: Pick<Outage, 'failed' | 'worked'>,
  retries: Retries = defaultTimings,
): Reporter {
  let report: TrainJobReport = { ...before, resumedFromStep: null, trouble: null };
  const { write, flush } = createReportWriter(target, log, outage, retries);
  return {
    onMessage: (message) => {
      logMessage(log, message);
      const next = apply(report, message);
      if (next === report) return;
      const events = eventsOf(message, report, next, target.attempt);
      report = next;
      write(report, events);
    },
    flush,
  };
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
    case 'loss':
    case 'saved':
    case 'warning':
    case 'outcome':
    case 'fault':
      return report;
  }
  return message satisfies never;
}

/** The events that a message adds to the job; `before` and `after` are the reports without and with the message. */
function eventsOf(
  message: TrainerMessage,
  before: TrainJobReport,
  { engine }: TrainJobReport,
  attempt: number,
): JobEvent[] {
  const at = new Date().toISOString();
  switch (message.type) {
    case 'resumed': {
      const { step = null, published = [] } = message.from ?? {};
      // The worker of the earlier attempt was gone before it could report these.
      const unreported = published.filter(({ epoch }) => !before.epochs.some((one) => one.epoch === epoch));
      return [
        ...unreported.flatMap((epoch) => epochEvents(epoch, at)),
        { type: 'started', at, engine: engine!, attempt, resumedFromStep: step },
      ];
    }
    case 'progress':
      return [{ type: 'progress', at, ...rounded(message.progress) }];
    case 'epoch':
      return epochEvents(message.epoch, at);
    case 'trouble':
      return [{ type: 'trouble', at, error: message.trouble }];
    case 'engine': // reported with `resumed`
    case 'loss':
    case 'saved':
    case 'warning':
    case 'outcome': // `done` is published once the queue has the end of the job
    case 'fault':
      return [];
  }
  return message satisfies never;
}

function epochEvents({ promotion, ...published }: PublishedEpoch, at: string): JobEvent[] {
  const { epoch, testAccuracy, modelVersion } = published;
  return [
    { type: 'epoch', at, ...published },
    { type: 'checkpoint', at, modelVersion, epoch, testAccuracy },
    ...(promotion ? [promotionEvent(promotion, at)] : []),
  ];
}

function promotionEvent({ decision, ...promotion }: Promotion, at: string): JobEvent {
  return decision === 'promoted'
    ? { type: 'promoted', at, ...promotion, decision }
    : { type: 'kept', at, ...promotion, decision };
}

/** Rounds what thousands of events with a job would store in full. */
function rounded({ fraction, loss, imagesPerSecond, etaSeconds, ...counts }: Progress): Progress {
  return {
    ...counts,
    fraction: Number(fraction.toFixed(4)),
    loss: Number(loss.toPrecision(6)),
    imagesPerSecond: Math.round(imagesPerSecond),
    etaSeconds: Number(etaSeconds.toFixed(1)),
  };
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
    case 'loss': {
      const { epoch, step, steps, loss } = message.progress;
      log.info({ epoch, step, steps, loss }, `step ${step}/${steps}`);
      break;
    }
    case 'progress':
    case 'outcome':
    case 'fault': // handled by the worker
  }
}

/** The options of a worker, and the waits and deadlines that tests shorten. */
import type { Logger } from 'pino';
import type { EnginePreference } from '../../model/engines/engine.ts';
import { defaultIntervals, type TrainIntervals } from '../../model/training/training-run.ts';

export type WorkerOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly dataDir: string;
  readonly engine: EnginePreference;
  /** If true, a job whose trainer finds no GPU goes back to the queue, and this worker takes no more jobs. */
  readonly requireGpu: boolean;
  /** Why training is not on the GPU that seems to be there; shown as `engine.fallback` of a job on the CPU. */
  readonly noGpu: string | null;
  /** The device that this worker computes on, for people. */
  readonly device: string;
  readonly gitCommit: string | null;
  readonly log: Logger;
  /** The nice value of trainers; by default the lowest priority, so that predictions are answered first. */
  readonly trainerNiceness?: number | undefined;
  readonly timings?: Partial<WorkerTimings>;
};

/** All in milliseconds. */
export type WorkerTimings = TrainIntervals & {
  /** How long a job's lock lasts unless renewed. A lost worker is noticed after at most `lock` + `stalledCheck`. */
  readonly lock: number;
  readonly stalledCheck: number;
  /** Between two reads of the cancel mark of the running job. */
  readonly cancelCheck: number;
  /** How long a trainer has, once told to stop, for the step under way and a last resume point. Then it is killed. */
  readonly stopGrace: Readonly<Record<StopReason, number>>;
  /** Between two tries to write to a full disk. */
  readonly diskRetry: number;
  /** The first pause after Redis refuses a report or the worker's queue calls; doubled up to `longestRetry`. */
  readonly firstRetry: number;
  readonly longestRetry: number;
  /** How long BullMQ's loops, the longest of which takes 5 s, must run without an error before pauses start small again. */
  readonly withoutError: number;
};

export type StopReason = 'cancel requested' | 'worker closes' | 'lock lost';

export const defaultTimings: WorkerTimings = {
  ...defaultIntervals,
  lock: 5000,
  stalledCheck: 2500,
  cancelCheck: 400,
  stopGrace: {
    'cancel requested': 1000, // a cancel takes effect within 2 s, and up to 0.4 s pass before the mark is read
    'worker closes': 1800,
    'lock lost': 1800, // after an outage of Redis; the job is, or will be, another worker's
  },
  diskRetry: 1000,
  firstRetry: 200,
  longestRetry: 5000,
  withoutError: 6000,
};

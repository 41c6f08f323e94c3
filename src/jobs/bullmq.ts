/**
 * What Trainyard runs of BullMQ, which is CommonJS. It is loaded by `require`: before an `import`, Node would search all of
 * BullMQ's files, more than 200, for the names of their exports, each time the server or the worker starts.
 */
import { createRequire } from 'node:module';
import type * as Bull from 'bullmq';

const bull = createRequire(import.meta.url)('bullmq') as typeof Bull;

export const { Job, WaitingError } = bull;

export const UnrecoverableError: typeof Bull.UnrecoverableError = bull.UnrecoverableError;
export type UnrecoverableError = Bull.UnrecoverableError;

export const Queue: typeof Bull.Queue = bull.Queue;
export type Queue<Data, Result> = Bull.Queue<Data, Result>;

export const Worker: typeof Bull.Worker = bull.Worker;
export type Worker<Data, Result> = Bull.Worker<Data, Result>;

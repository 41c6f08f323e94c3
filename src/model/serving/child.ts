/** Keeps one predictor process running: starts it, notices when it ends or hangs, and starts it again. */
import type { ChildProcess } from 'node:child_process';
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { messageOf } from '../../lib/errors.ts';
import type { PredictorMessage, PredictorRequest, PredictorStart } from './messages.ts';
import { createOutbox } from './outbox.ts';

export type PredictorChild = {
  /** Lost without a word when no process is there; its end is told by `onEnd`. */
  send(request: PredictorRequest): void;
  /** For a process that no longer does what it is asked; `onEnd` follows. */
  kill(why: string): void;
  close(): Promise<void>;
};

type ChildEvents = {
  readonly onMessage: (message: PredictorMessage) => void;
  readonly onEnd: (how: string) => void;
};

const startWithinMs = 60_000; // loads the engine
const lookMs = 500; // at whether it is alive, which it says as often
const maxSilentLooks = 5; // in a row; a batch takes milliseconds
const firstRestartMs = 200;
const maxRestartMs = 5000; // of one that ends before it is ready
const closeGraceMs = 2000;

const inferenceEnv = {
  CUDA_VISIBLE_DEVICES: '-1', // serving needs little of a GPU, and a training job may want all of it
  TF_NUM_INTRAOP_THREADS: '1', // sharing one image out to two threads takes longer than computing it
};

export function keepPredictorRunning(start: PredictorStart, events: ChildEvents): PredictorChild {
  let child: ChildProcess | null = null;
  let post: ((request: PredictorRequest) => void) | null = null; // to that child
  let killedFor: string | null = null;
  let restart: NodeJS.Timeout | undefined;
  let restartMs = firstRestartMs;
  let closed = false;

  const kill = (why: string) => {
    killedFor ??= why;
    child?.kill('SIGKILL'); // also ends a stopped process
  };
  const onEnd = (how: string) => {
    child = null;
    post = null;
    events.onEnd(killedFor ?? how);
    if (closed) return;
    restart = setTimeout(run, restartMs);
    restartMs = Math.min(2 * restartMs, maxRestartMs);
  };
  const listen = (from: ChildProcess) => {
    from.on('message', (messages: PredictorMessage[]) => {
      if (from !== child) return; // it has ended, and its images are on their way to the next
      for (const message of messages) {
        if (message.type === 'ready') restartMs = firstRestartMs;
        events.onMessage(message);
      }
    });
    watch(from, kill);
  };
  const run = () => {
    killedFor = null;
    try {
      child = forkPredictor(start, onEnd);
    } catch (error) {
      return onEnd(messageOf(error)); // no process or file descriptor left, say
    }
    listen(child);
    post = postTo(child);
  };
  run();

  return {
    send: (request) => post?.(request),
    kill,
    close: async () => {
      closed = true;
      clearTimeout(restart);
      if (child) await endChild(child, 'SIGTERM', closeGraceMs);
    },
  };
}

function forkPredictor(start: PredictorStart, onEnd: (how: string) => void): ChildProcess {
  const child = forkBeside(import.meta.url, 'predictor-process', { env: inferenceEnv });
  child.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`));
  child.send(start, () => {});
  return child;
}

function postTo(child: ChildProcess): (request: PredictorRequest) => void {
  return createOutbox((requests) => void child.send(requests, () => {})); // an error here means that it is ending
}

/**
 * Calls `kill` when the process is silent for too long. Looks are counted, not time: after a pause of this process
 * itself (a laptop that slept) one look is due, and then the messages that came meanwhile are read.
 */
function watch(child: ChildProcess, kill: (why: string) => void): void {
  let silentLooks = 0;
  const starting = setTimeout(
    () => kill(`expected it to be ready in ${startWithinMs / 1000} s`),
    startWithinMs,
  );
  let looking: NodeJS.Timeout | undefined;
  const look = () => {
    if (++silentLooks > maxSilentLooks) kill(`expected a sign of life in ${maxSilentLooks * lookMs} ms`);
  };
  child.on('message', () => {
    silentLooks = 0;
    clearTimeout(starting);
    looking ??= setInterval(look, lookMs);
  });
  child.once('exit', () => {
    clearTimeout(starting);
    clearInterval(looking);
  });
}

/** Starts the predictor process, watches it, and starts it again when it ends or hangs. */
import type { ChildProcess } from 'node:child_process';
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { coalesceMessages } from '../../lib/coalesce-messages.ts';
import { messageOf } from '../../lib/errors.ts';
import type { PredictorMessage, PredictorRequest, PredictorStart } from './messages.ts';

const startWithinMs = 60_000; // loading the engine included
const checkAliveMs = 500; // the process reports as often that it is alive
const maxSilentChecks = 5; // in a row; a batch takes milliseconds
const firstRestartMs = 200;
const maxRestartMs = 5000; // between restarts of a process that ends before it is ready
const closeGraceMs = 2000;

const inferenceEnv = {
  CUDA_VISIBLE_DEVICES: '-1', // inference needs little of a GPU, and a training job may need all of it
  TF_NUM_INTRAOP_THREADS: '1', // splitting one image between two threads takes longer than computing it
};

export type SupervisorEvents = {
  readonly onMessage: (message: PredictorMessage) => void;
  readonly onEnd: (how: string) => void;
  /** A request can't be serialised; the process never sees it. */
  readonly onUnsendable: (request: PredictorRequest, error: unknown) => void;
};

export type ProcessSupervisor = Pick<PredictorSupervisor, 'run' | 'isRunning' | 'send' | 'kill' | 'close'>;

export class PredictorSupervisor {
  readonly #start: PredictorStart;
  #events!: SupervisorEvents; // from `run` on
  #child: ChildProcess | null = null;
  #post: ((request: PredictorRequest) => void) | null = null; // to that child
  #killedFor: string | null = null;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = firstRestartMs;
  #closed = false;

  constructor(start: PredictorStart) {
    this.#start = start;
  }

  /** Starts the process. From then on it is started again whenever it ends, until `close`. */
  run(events: SupervisorEvents): void {
    this.#events = events;
    this.#fork();
  }

  /** Whether there is a process; it may still be starting. */
  get isRunning(): boolean {
    return this.#post !== null;
  }

  /** Does nothing while no process runs. */
  send(request: PredictorRequest): void {
    this.#post?.(request);
  }

  /** Kills a process that no longer does what it is asked; `onEnd` and a restart follow. */
  kill(reason: string): void {
    this.#killedFor ??= reason;
    this.#child?.kill('SIGKILL'); // SIGKILL also ends a stopped process
  }

  /** Ends the process for good. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    if (this.#child) await endChild(this.#child, 'SIGTERM', closeGraceMs);
  }

  #fork(): void {
    this.#killedFor = null;
    try {
      const child = forkBeside(import.meta.url, 'predictor-process', { env: inferenceEnv });
      this.#child = child;
      this.#listenTo(child);
      child.send(this.#start, () => {});
      this.#post = coalesceMessages(
        (requests) => void child.send(requests, () => {}), // the callback gets an error only while the process ends
        this.#events.onUnsendable,
      );
    } catch (error) {
      this.#onEnd(messageOf(error)); // no process or file descriptor is left, for example
    }
  }

  #listenTo(child: ChildProcess): void {
    child.on('message', (messages: PredictorMessage[]) => {
      if (child !== this.#child) return; // it has ended, and its images go to the next process
      for (const message of messages) {
        if (message.type === 'ready') this.#restartMs = firstRestartMs;
        this.#events.onMessage(message);
      }
    });
    child.once('exit', (code, signal) => this.#onEnd(signal ?? `exit code ${code}`));
    killWhenSilent(child, (reason) => this.kill(reason));
  }

  #onEnd(how: string): void {
    this.#child = null;
    this.#post = null;
    this.#events.onEnd(this.#killedFor ?? how);
    if (this.#closed) return;
    this.#restart = setTimeout(() => this.#fork(), this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, maxRestartMs);
  }
}

/**
 * Calls `kill` when the process is silent for too long. It counts checks, not time: after a pause of this process itself
 * (a laptop that slept) one check is due, and then the messages that came meanwhile are read.
 */
function killWhenSilent(child: ChildProcess, kill: (reason: string) => void): void {
  let silentChecks = 0;
  const starting = setTimeout(
    () => kill(`expected it to be ready in ${startWithinMs / 1000} s`),
    startWithinMs,
  );
  let checking: NodeJS.Timeout | undefined;
  const check = () => {
    if (++silentChecks > maxSilentChecks)
      kill(`expected a sign of life in ${maxSilentChecks * checkAliveMs} ms`);
  };
  child.on('message', () => {
    silentChecks = 0;
    clearTimeout(starting);
    checking ??= setInterval(check, checkAliveMs);
  });
  child.once('exit', () => {
    clearTimeout(starting);
    clearInterval(checking);
  });
}

/** Forks a module of this repository: compiled from dist/, or from source by tsx, as in tests. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ForkOptions = {
  readonly env?: NodeJS.ProcessEnv;
  /** Gets the child's standard error. Default: pass it on to ours, without TensorFlow's start-up lines. */
  readonly onErrorLine?: (line: string) => void;
};

/**
 * TensorFlow's start-up lines, which none of its settings silences: absl information lines (I, date, time) and the line
 * before the first of them.
 */
const nativeChatter =
  /^(?:I\d{4} \d{2}:\d{2}:\d{2}|I0000 00:00:|WARNING: All log messages before absl::InitializeLog)/;

/**
 * Starts `name` (a module beside `importer`, without extension) in a child process. Messages are structured clones, so
 * typed arrays stay typed arrays. The child does not get the terminal's Ctrl-C: its parent decides when it ends. A child
 * that could not be started emits `exit` with the error's code in place of the signal.
 */
export function forkBeside(importer: string, name: string, options: ForkOptions = {}): ChildProcess {
  const extension = importer.slice(importer.lastIndexOf('.'));
  const path = fileURLToPath(new URL(`./${name}${extension}`, importer));
  const child = fork(path, [], {
    env: { ...process.env, ...options.env },
    execArgv: extension === '.ts' ? ['--import', 'tsx'] : [],
    serialization: 'advanced',
    detached: true,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  // Node emits no exit for a child that could not be started (no process or file descriptor left).
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) child.emit('exit', null, error.code ?? error.message);
  });
  if (!child.stderr) return child;
  const { onErrorLine = passOn } = options;
  createInterface({ input: child.stderr }).on('line', onErrorLine);
  return child;
}

function passOn(line: string): void {
  if (!nativeChatter.test(line)) process.stderr.write(`${line}\n`);
}

/** Ends a child: `signal` first, SIGKILL after `graceMs`. Resolves when it is gone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

/** Forks a program of this repository, whether it runs compiled from dist/ or, in tests, from source by tsx. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ForkOptions = {
  readonly env?: NodeJS.ProcessEnv;
  /** Takes what the child writes to standard error, which else goes to ours, but for TensorFlow's chatter. */
  readonly onErrorLine?: (line: string) => void;
};

/**
 * TensorFlow's announcements of itself, which no setting of it silences: an absl information line
 * (I, date, time) and the line that comes before the first of them.
 */
const nativeChatter =
  /^(?:I\d{4} \d{2}:\d{2}:\d{2}|I0000 00:00:|WARNING: All log messages before absl::InitializeLog)/;

/**
 * Starts `name` (a module beside `importer`, without extension) in a process of its own. Messages are
 * structured clones, so that typed arrays cross as they are. The child does not get the terminal's
 * Ctrl-C: its parent decides when it ends. A child that could not be started exits, by the name of the error.
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
  // One that could not be started (no process, no file descriptor left) has no exit of its own: this is it.
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

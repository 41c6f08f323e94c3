/** The compiled command line as a process, what a shell sees of it; and, sooner, as the function that the process calls. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../src/cli/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Running = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves when `text` has been printed, on either stream. */
  readonly printed: (text: string) => Promise<void>;
};

export type Environment = Record<string, string>;

/** For commands that end by themselves and do not read the standard input. TRAINYARD_URL is not read: commander takes it from the process. */
export async function call(args: readonly string[], env: Environment = {}): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof text) => ({
    write: (chunk: string | Uint8Array) => {
      text[name] += String(chunk);
      return true;
    },
  });
  const surroundings = { env, stdout: collect('stdout'), stderr: collect('stderr') };
  const code = await runProgram([process.execPath, 'trainyard', ...args], surroundings);
  return { code, ...text };
}

export function start(args: readonly string[], env: Environment = {}): Running {
  const { API_KEY: _, TRAINYARD_KEY: __, TRAINYARD_URL: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, ['dist/cli.js', ...args], {
    cwd: root,
    env: { ...inherited, ...env },
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      child.emit('printed');
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  const printed = async (wanted: string) => {
    while (!`${text.stdout}${text.stderr}`.includes(wanted)) {
      const gone = ended.then(() =>
        Promise.reject(new Error(`expected "${wanted}", got ${JSON.stringify(text)}`)),
      );
      await Promise.race([once(child, 'printed'), gone]);
    }
  };
  return { child, ended, printed };
}

export function run(args: readonly string[], env?: Environment): Promise<Ended> {
  const { child, ended } = start(args, env);
  child.stdin.end();
  return ended;
}

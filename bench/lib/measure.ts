/** Programs that measure themselves, in processes of their own, and print the result as one JSON line. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from './ending.ts';
import { during } from './progress.ts';

const longestMs = 15 * 60_000;

export type Program = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv; // besides this process's own
};

/** A TypeScript program of the folder `bench`, run from source. */
export function tsProgram(path: string, args: readonly string[]): Program {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return { program: process.execPath, args: ['--import', 'tsx', file, ...args] };
}

/**
 * Runs a program to its end and returns what its last line says; `what` is shown meanwhile. Throws when it fails or
 * says nothing.
 */
export async function measure<Result>(what: string, program: Program): Promise<Result> {
  const line = await during(what, lastLineOf(program));
  if (line === '') throw new Error(`${what}: expected a line of JSON, got nothing`);
  return JSON.parse(line) as Result;
}

/** The last line that a program prints, if any. Throws with its errors when it fails or takes too long. */
export async function lastLineOf(
  { program, args, cwd, env }: Program,
  withinMs = longestMs,
): Promise<string> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: withinMs,
    killSignal: 'SIGKILL',
  });
  let last = '';
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const end = atEnd(() => void child.kill('SIGKILL'));
  const gone = new Promise<string | number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  const ended = await gone.catch(String); // a program that is not there
  await end();
  if (ended !== 0) throw new Error(`${program} ${args.join(' ')} ended by ${ended}:\n${errors.trim()}`);
  return last;
}

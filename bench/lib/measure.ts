/** Programs that measure themselves, in processes of their own, and print the result as one JSON line. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const longestMs = 15 * 60_000;

export type Program = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
};

/** A TypeScript program of this folder, run from source. */
export function tsProgram(path: string, args: readonly string[], env?: NodeJS.ProcessEnv): Program {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return { program: process.execPath, args: ['--import', 'tsx', file, ...args], ...(env && { env }) };
}

/** Runs a program to its end and returns what its last line says. Throws when it fails or says nothing. */
export async function measure<Result>({ program, args, env }: Program): Promise<Result> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
  });
  let last = '';
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const end = () => child.kill();
  process.once('exit', end);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.off('exit', end);
  if (code !== 0 || last === '') throw new Error(`${program} ${args.join(' ')} ended by ${code}:\n${errors}`);
  return JSON.parse(last) as Result;
}

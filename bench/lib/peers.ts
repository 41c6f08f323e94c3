/** The Python peers' virtual environment, made once by pip and kept in Trainyard's cache. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './measure.ts';

const installWithinMs = 15 * 60_000;
const peersDirectory = fileURLToPath(new URL('../peers/', import.meta.url));
const requirements = join(peersDirectory, 'requirements.txt');

export type Peers =
  | { readonly ok: true; readonly python: string }
  | { readonly ok: false; readonly reason: string };

/** Installs what is not there; a peer that can't be had is a result, not an error. */
export async function installPeers(): Promise<Peers> {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const cache = process.env['TRAINYARD_CACHE'] ?? join(homedir(), '.cache', 'trainyard');
  const directory = join(cache, `peers-${hash}`);
  const python = join(directory, 'bin', 'python');
  if (existsSync(python)) return { ok: true, python };
  console.log('installing PyTorch, FastAPI and Pillow for the peers (once, several minutes)');
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, '.new-peers-'));
  try {
    await run('python3', ['-m', 'venv', fresh]);
    // Few retries: an index that can't be reached is not worth minutes for each package.
    const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--timeout', '15', '-r', requirements];
    await run(join(fresh, 'bin', 'python'), pip);
    await rename(fresh, directory);
    return { ok: true, python };
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A Python peer of bench/peers. */
export function peerProgram(python: string, script: string, args: readonly string[]): Program {
  return { program: python, args: [join(peersDirectory, script), ...args] };
}

/** Where the peers' programs lie. */
export { peersDirectory };

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: installWithinMs });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-500);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new Error(`${program} ${args.slice(0, 3).join(' ')} ended by ${code}: ${errors.trim()}`);
}

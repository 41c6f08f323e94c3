/** The peer that people would write: FastAPI, uvicorn, Pillow and PyTorch, with the weights of a published model. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { until } from '../../test/e2e/service.ts';
import { peersDirectory } from './peers.ts';

export type FastApi = { readonly url: string; readonly pid: number; end(): Promise<void> };
export type Setting = { readonly workers: number; readonly threads: number }; // threads of PyTorch, each worker

/** Workers and threads that two cores may be used by. */
export const settings: readonly Setting[] = [
  { workers: 1, threads: 1 },
  { workers: 1, threads: 2 },
  { workers: 2, threads: 1 },
];

/** Resolves when it answers. */
export async function startFastApi(python: string, weights: string, setting: Setting): Promise<FastApi> {
  const port = await freePort();
  const server = ['-m', 'uvicorn', 'serve:app', '--host', '127.0.0.1', '--port', String(port)];
  const args = [...server, '--workers', String(setting.workers), '--no-access-log', '--log-level', 'warning'];
  const child = spawn(python, args, {
    cwd: peersDirectory,
    env: { ...process.env, WEIGHTS: weights, THREADS: String(setting.threads), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true, // with its workers, to be ended as a group
  });
  const kill = () => process.kill(-child.pid!, 'SIGKILL');
  process.once('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(url).catch(() => null)) !== null, 'FastAPI to answer', 60_000);
  return {
    url,
    pid: child.pid!,
    end: async () => {
      process.off('exit', kill);
      kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

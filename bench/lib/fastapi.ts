/** The peer that people would write: FastAPI, uvicorn, Pillow and PyTorch, with the weights of a published model. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { until } from '../../harness/service.ts';
import { atEnd } from './ending.ts';
import { peersDirectory } from './peers.ts';
import { during } from './progress.ts';

export type FastApi = { readonly url: string; end(): Promise<void> };
export type Setting = {
  readonly endpoint: 'async' | 'thread'; // on the event loop, or in FastAPI's pool of threads
  readonly workers: number;
  readonly threads: number; // of PyTorch, each worker
};

/** All that two cores may be used by. */
export const settings: readonly Setting[] = (['async', 'thread'] as const).flatMap((endpoint) => [
  { endpoint, workers: 1, threads: 1 },
  { endpoint, workers: 1, threads: 2 },
  { endpoint, workers: 2, threads: 1 },
]);

/** For people: 'async def, 2 workers, 1 thread each'. */
export function settingInWords({ endpoint, workers, threads }: Setting): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const definition = endpoint === 'async' ? 'async def' : 'def';
  return `${definition}, ${counted(workers, 'worker')}, ${counted(threads, 'thread')} each`;
}

/** Resolves when it answers. */
export async function startFastApi(python: string, weights: string, setting: Setting): Promise<FastApi> {
  const { endpoint, workers, threads } = setting;
  const port = await freePort();
  const place = ['--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)];
  const speed = ['--loop', 'uvloop', '--http', 'httptools', '--no-access-log', '--log-level', 'warning'];
  const own = { WEIGHTS: weights, THREADS: String(threads), ENDPOINT: endpoint };
  const child = spawn(python, ['-m', 'uvicorn', 'serve:app', ...place, ...speed], {
    cwd: peersDirectory,
    env: { ...process.env, ...own, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true, // with its workers, to be ended as a group
  });
  const gone = once(child, 'exit');
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const end = atEnd(async () => {
    if (isGone()) return;
    process.kill(-child.pid!, 'SIGKILL');
    await gone;
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async () => isGone() || (await fetch(url).catch(() => null)) !== null;
  await during(`starting FastAPI, ${settingInWords(setting)}`, until(answers, 'FastAPI to answer', 60_000));
  if (isGone()) throw new Error(`FastAPI, ${settingInWords(setting)}, ended by ${child.exitCode}`);
  return { url, end };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

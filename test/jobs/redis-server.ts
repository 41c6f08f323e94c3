/** An in-memory Redis for one test file, which keeps its port when it restarts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll } from 'vitest';

export type RedisServer = {
  readonly url: string;
  start(): Promise<void>;
  /** Kills the process; its data is lost. */
  stop(): Promise<void>;
  /** Stops the process: connections stay open, and nothing is answered. */
  pause(): void;
  /** Continues a paused process. */
  resume(): void;
};

const programs = ['redis-server', 'valkey-server'];
const startWithinMs = 10_000;

/** Creates a server without starting it; it is stopped at the end of the test file, or with `closeAfterTest` of the test. */
export async function createRedisServer(
  atEnd: (stop: () => Promise<void>) => void = afterAll,
): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | null = null;
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      child = await spawnServer(port);
    },
    stop: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL'); // works on a paused process too
      await gone;
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
  atEnd(() => server.stop());
  return server;
}

export async function startRedisServer(): Promise<RedisServer> {
  const server = await createRedisServer();
  await server.start();
  return server;
}

async function spawnServer(port: number): Promise<ChildProcess> {
  const options = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  for (const program of programs) {
    const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    const missing = once(child, 'error').then(() => true);
    if (await Promise.race([missing, untilReady(child).then(() => false)])) continue;
    return child;
  }
  throw new Error(`expected one of ${programs.join(', ')} on the PATH, found none; run "npm run setup"`);
}

/** Resolves when the server prints that it accepts connections. */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`expected Redis to start, ${why}:\n${output}`));
    const timer = setTimeout(() => fail(`not ready in ${startWithinMs} ms`), startWithinMs);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve();
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`it ended by ${signal ?? code}`);
    });
    child.once('error', () => clearTimeout(timer));
    child.stdout?.once('close', () => clearTimeout(timer));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}

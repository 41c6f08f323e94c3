import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startRedis } from '../../src/launcher/redis.ts';
import { temporaryDirectory } from '../temporary.ts';

const running: EmbeddedRedis[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((redis) => redis.close()));
});

async function start(dataDir: string): Promise<EmbeddedRedis> {
  const redis = await startRedis(dataDir);
  running.push(redis);
  return redis;
}

/** Runs one exchange on a connection of its own. */
async function talk<T>(url: string, exchange: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { retryStrategy: () => null });
  redis.on('error', () => {}); // told by the exchange's rejection
  try {
    return await exchange(redis);
  } finally {
    redis.disconnect();
  }
}

describe('the embedded Redis', () => {
  it('appends every write to a file, drops nothing, and listens on loopback only', async () => {
    const { url } = await start(await temporaryDirectory());
    const settings = await talk(url, (redis) =>
      redis.config('GET', 'appendonly', 'maxmemory-policy', 'bind'),
    );
    expect(settings).toEqual(expect.arrayContaining(['yes', 'noeviction', '127.0.0.1']));
  });

  it('asks for a password that only the owner of the data directory can read', async () => {
    const dataDir = await temporaryDirectory();
    const { url } = await start(dataDir);
    const open = url.replace(/:[^:@]+@/, '');
    await expect(talk(open, (redis) => redis.ping())).rejects.toThrow(/NOAUTH/);
    const { mode } = await stat(join(dataDir, 'redis', 'endpoint.json'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('answers at no other address of this machine', async ({ skip }) => {
    const { url } = await start(await temporaryDirectory());
    const port = Number(new URL(url).port);
    expect(await knock('127.0.0.1', port)).toBe('connected');
    expect(await knock('127.0.0.2', port)).not.toBe('connected');
    const others = otherAddresses();
    if (others.length === 0) {
      const reason = 'this machine has no address but loopback to try the embedded Redis at';
      console.log(reason);
      skip(reason);
    }
    for (const address of others) expect([address, await knock(address, port)]).not.toContain('connected');
  });

  it('keeps its data across a restart', async () => {
    const dataDir = await temporaryDirectory();
    const first = await start(dataDir);
    await talk(first.url, (redis) => redis.set('kept', 'yes'));
    await first.close();
    const second = await start(dataDir);
    expect(await talk(second.url, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('refuses a data directory that a living launcher uses', async () => {
    const dataDir = await temporaryDirectory();
    await start(dataDir);
    await expect(startRedis(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });

  it('stops the Redis that a killed launcher left behind, and goes on with its data', async () => {
    const dataDir = await temporaryDirectory();
    const left = await start(dataDir);
    await talk(left.url, (redis) => redis.set('kept', 'yes'));
    await pretendLauncherDied(dataDir);
    const next = await start(dataDir);
    expect(next.url).not.toBe(left.url);
    expect(left.process.exitCode).toBe(0);
    expect(await talk(next.url, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('says what is wrong when Redis does not start', async () => {
    const dataDir = await temporaryDirectory();
    const first = await start(dataDir);
    await first.close();
    await writeFile(join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), 'not a manifest');
    await expect(startRedis(dataDir)).rejects.toMatchObject({ code: 'REDIS_NOT_STARTED' });
  });
});

/** The addresses at which other hosts can reach this one. */
function otherAddresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list
      .filter(({ internal }) => !internal)
      .map(({ address }) => (address.startsWith('fe80:') ? `${address}%${name}` : address)),
  );
}

/** `connected`, or the code of the error. */
function knock(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (how: string) => {
      socket.destroy();
      resolve(how);
    };
    socket.once('connect', () => end('connected'));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Puts the process id of an ended process in place of the launcher's. */
async function pretendLauncherDied(dataDir: string): Promise<void> {
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(ended, 'exit');
  const path = join(dataDir, 'redis', 'endpoint.json');
  const endpoint = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...endpoint, launcherPid: ended.pid }));
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startRedis } from '../../src/launcher/embedded-redis.ts';
import { closeAfterTest } from '../closing.ts';
import { untilGone } from '../jobs/processes.ts';
import { until } from '../jobs/until.ts';
import { temporaryDirectory } from '../temporary.ts';

type Told = EmbeddedRedis & { readonly told: string[] };

async function start(dataDir: string): Promise<Told> {
  const told: string[] = [];
  const redis = await startRedis(dataDir, (text) => told.push(text));
  closeAfterTest(() => redis.close());
  return Object.assign(Object.create(redis) as EmbeddedRedis, { told });
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

const alive = (redis: EmbeddedRedis) => talk(redis.url, (client) => client.ping()).catch(() => null);

/** Kills the newest process and waits until another one answers at the same place. */
async function killAndWait(redis: Told): Promise<void> {
  const { pid } = redis.process;
  redis.process.kill('SIGKILL');
  const again = () => redis.process.pid !== pid && redis.told.at(-1) === 'it runs again';
  await until('Redis to run again', again, Boolean);
}

describe('an embedded Redis that dies', () => {
  it('is started again at the same place, with every write that was answered', async () => {
    const redis = await start(await temporaryDirectory());
    for (let round = 1; round <= 3; round++) {
      await talk(redis.url, (client) => client.set(`round ${round}`, 'kept'));
      await killAndWait(redis);
      expect(await talk(redis.url, (client) => client.keys('round *'))).toHaveLength(round);
    }
    expect(redis.told.slice(0, 2)).toEqual(['it ended (SIGKILL); starting it again', 'it runs again']);
    expect(redis.told).toHaveLength(6);
  });

  it('is tried again, later each time, while something keeps it from starting', async () => {
    const dataDir = await temporaryDirectory();
    const redis = await start(dataDir);
    const manifest = join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
    const whole = await readFile(manifest);
    await writeFile(manifest, 'not a manifest');
    redis.process.kill('SIGKILL');
    const tries = () => redis.told.filter((text) => text.includes('trying again in'));
    await until('two tries', tries, ({ length }) => length === 2);
    await writeFile(manifest, whole);
    await until('an answer', () => alive(redis), Boolean);
    expect(tries().map((text) => /trying again in (.*) s$/.exec(text)![1])).toEqual(['0.2', '0.4']);
  });

  it('stays stopped when it is closed, also while it is being started again', async () => {
    for (const afterMs of [0, 50, 100, 150, 200]) {
      const redis = await start(await temporaryDirectory());
      redis.process.kill('SIGKILL');
      await once(redis.process, 'exit');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await redis.close();
      expect(await alive(redis)).toBeNull();
    }
  });
});

/** The part of the append-only file that is written to now. */
async function newestFile(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'redis', 'appendonlydir');
  const names = await readdir(folder);
  return join(
    folder,
    names
      .filter((name) => name.endsWith('.incr.aof'))
      .toSorted()
      .at(-1)!,
  );
}

describe('an append-only file', () => {
  const write = async (dataDir: string) => {
    const redis = await start(dataDir);
    await talk(redis.url, (client) => client.set('first', 'kept'));
    await talk(redis.url, (client) => client.set('last', 'may be lost'));
    return redis;
  };

  it.each([1, 7, 20])('that lacks its last %i bytes costs the last write only', async (bytes) => {
    const dataDir = await temporaryDirectory();
    await (await write(dataDir)).close();
    const path = await newestFile(dataDir);
    await truncate(path, (await stat(path)).size - bytes);
    const redis = await start(dataDir);
    expect(await talk(redis.url, (client) => client.keys('*'))).toEqual(['first']);
    expect(redis.told).toEqual(['its append-only file was cut off at the end']);
  });

  it.each([
    ['zeros', Buffer.alloc(4096)],
    ['text', Buffer.from('garbage')],
    ['a command with a wrong mark', Buffer.from('*2\r\n!3\r\nGET\r\n$1\r\nx\r\n')],
  ])('that ends in %s is repaired, and a copy kept', async (_, garbage) => {
    const dataDir = await temporaryDirectory();
    await (await write(dataDir)).close();
    await appendFile(await newestFile(dataDir), garbage);
    const redis = await start(dataDir);
    expect((await talk(redis.url, (client) => client.keys('*'))).toSorted()).toEqual(['first', 'last']);
    expect(redis.told).toEqual([expect.stringContaining('was damaged and is cut off there')]);
    const copy = /is in (\S+)$/.exec(redis.told[0]!)![1]!;
    expect(await readdir(copy)).toContain('appendonly.aof.manifest');
  });

  it('that is damaged while Redis runs is repaired when it has died', async () => {
    const dataDir = await temporaryDirectory();
    const redis = await write(dataDir);
    await appendFile(await newestFile(dataDir), Buffer.alloc(64));
    await killAndWait(redis);
    expect((await talk(redis.url, (client) => client.keys('*'))).toSorted()).toEqual(['first', 'last']);
  });
});

type Launcher = { readonly child: ChildProcess; readonly url: string; readonly pid: number };
const program = fileURLToPath(new URL('redis-program.mjs', import.meta.url));

async function startLauncher(dataDir: string): Promise<Launcher> {
  const child = spawn(process.execPath, [program, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { url: string; pid: number }) };
}

async function kill({ child }: Launcher): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The guard is the child of the process that it guards. */
const guardOf = (pid: number) =>
  Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }));

describe.concurrent('a launcher that is killed', () => {
  it('takes Redis with it, which has written everything down; also one that is frozen', async () => {
    const dataDir = await temporaryDirectory();
    const [launcher, other] = await Promise.all([
      startLauncher(dataDir),
      startLauncher(await temporaryDirectory()),
    ]);
    const guard = guardOf(launcher.pid);
    await talk(launcher.url, (client) => client.set('kept', 'yes'));
    process.kill(other.pid, 'SIGSTOP');
    await Promise.all([kill(launcher), kill(other)]);
    await untilGone(launcher.pid, 6000);
    await untilGone(guard);
    const next = await start(dataDir);
    expect(await talk(next.url, (client) => client.get('kept'))).toBe('yes');
    await untilGone(other.pid, 15_000);
  });

  it('gives way to the next one at once, which stops the Redis that is still there', async () => {
    const dataDir = await temporaryDirectory();
    const left = await startLauncher(dataDir);
    await talk(left.url, (client) => client.set('kept', 'yes'));
    await kill(left);
    const next = await start(dataDir);
    expect(next.url).not.toBe(left.url);
    await untilGone(left.pid, 1000);
    expect(await talk(next.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('leaves a frozen Redis whose guard was killed too: the next one says what to do', async () => {
    const dataDir = await temporaryDirectory();
    const left = await startLauncher(dataDir);
    process.kill(guardOf(left.pid), 'SIGKILL');
    process.kill(left.pid, 'SIGSTOP');
    await kill(left);
    await expect(startRedis(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`Redis was process ${left.pid}`),
    });
    process.kill(left.pid, 'SIGKILL');
    await untilGone(left.pid);
    expect(await alive(await start(dataDir))).toBe('PONG');
  });

  it('may leave half an endpoint file, from a version that wrote it in place', async () => {
    const dataDir = await temporaryDirectory();
    await (await start(dataDir)).close();
    await writeFile(join(dataDir, 'redis', 'endpoint.json'), '{"url":"red');
    expect(await alive(await start(dataDir))).toBe('PONG');
  });
});

describe('the guard', () => {
  it('goes home when Redis ends, and is never more than one', async () => {
    const redis = await start(await temporaryDirectory());
    const first = guardOf(redis.process.pid!);
    await killAndWait(redis);
    await untilGone(first, 1000);
    const second = guardOf(redis.process.pid!);
    await redis.close();
    await untilGone(second, 1000);
    expect([first, second].every((pid) => pid > 0)).toBe(true);
  });
});

/** A terminal that closes: it sends SIGHUP to all that runs in its foreground. nohup, and the like, asks to stay. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Command,
  getJson,
  isThere,
  processesOf,
  redisPidOf,
  type Service,
  startService,
  until,
} from '../../harness/service.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { pausing } from '../pausing.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

const has = (path: string) => existsSync(path);
const inShell = (shell: string, script: string): Command => ({
  program: shell,
  args: ['-c', script],
  cwd: repository,
});
/** In a terminal of its own, with /bin/sh as its shell. */
const inTerminal = (script: string): Command => ({
  program: 'script',
  args: ['-qec', script, '/dev/null'],
  cwd: repository,
});

type Started = { readonly service: Service; readonly dataDir: string };

async function start(command: Command, env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const dataDir = await temporaryDirectory();
  // A command that this test run was started by is none that the shell below has started.
  const own = { FIRST_MODEL: 'false', ENGINE: 'wasm', SHELL: '/bin/sh', _: '', ...pausing(50) };
  const environment = { ...own, ...env };
  const service = await startService(dataDir, environment, command);
  onTestFinished(async () => {
    for (const pid of pidsOf(dataDir)) if (isThere(pid)) process.kill(pid, 'SIGTERM');
    await until(() => pidsOf(dataDir).length === 0, 'all processes to end');
  });
  return { service, dataDir };
}

const pidsOf = (dataDir: string) => processesOf(dataDir).map((line) => Number.parseInt(line));

/** Sends SIGHUP to each process that belongs to the service, its Redis and the guard of that included. */
async function hangUpEach(dataDir: string): Promise<void> {
  const redis = await redisPidOf(dataDir);
  const guard = Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(redis)], { encoding: 'utf8' }));
  for (const pid of [...pidsOf(dataDir), redis, guard]) process.kill(pid, 'SIGHUP');
}

/** Queues a long training; resolves when it has made its first steps. */
async function startTraining(address: string): Promise<TrainJob> {
  const body = JSON.stringify({ epochs: 1000, trainImages: 640, testImages: 100 });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${address}/jobs/train`, { method: 'POST', headers, body });
  const { id } = (await answer.json()) as TrainJob;
  return untilBeyond(address, id, 0);
}

async function untilBeyond(address: string, id: string, step: number): Promise<TrainJob> {
  let job = await getJson<TrainJob>(`${address}/jobs/${id}`);
  await until(async () => {
    job = await getJson<TrainJob>(`${address}/jobs/${id}`);
    return (job.progress?.step ?? 0) > step;
  }, `the training to go on beyond step ${step}`);
  return job;
}

/** Runs, as `npm start` and as `node`, a program that only says whether it is to stay when the terminal closes. */
async function runProbe(shell: string, script: string): Promise<string> {
  const folder = await temporaryDirectory();
  const nohup = pathToFileURL(join(repository, 'src/lib/nohup.mjs')).href;
  const program = `import { ignoresHangup } from '${nohup}';\nconsole.log('stays:', ignoresHangup());\n`;
  await writeFile(join(folder, 'start.mjs'), program);
  const manifest = { name: 'probe', version: '1.0.0', scripts: { start: 'exec node start.mjs' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const child = spawn(shell, ['-c', script], {
    cwd: folder,
    env: { ...process.env, SHELL: '/bin/sh', _: '' },
    detached: true, // a process group of its own, as a shell gives one to each command
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output;
}

describe('a service that was started to outlive its terminal', () => {
  it.each([
    ['bash', 'nohup npm start', true],
    ['bash', 'nohup node start.mjs', true],
    ['sh', "trap '' HUP; npm start; exit", true],
    ['sh', 'IGNORE_SIGHUP=true npm start', true],
    ['bash', 'npm start', false],
    ['sh', 'npm start', false],
  ])('knows it: %s, %s: %s', async (shell, script, stays) => {
    expect(await runProbe(shell, script)).toContain(`stays: ${stays}\n`);
  });

  it('goes on after SIGHUP', async () => {
    const { service, dataDir } = await start(inShell('bash', 'nohup npm start'));
    await service.printed('closing the terminal does not');
    const before = await startTraining(service.address);
    const launched = ownPidsOf(dataDir);
    process.kill(-service.pid, 'SIGHUP'); // npm itself has no way to stay
    await hangUpEach(dataDir);
    const after = await untilBeyond(service.address, before.id, before.progress!.step);
    expect(after).toMatchObject({ status: 'running', attempt: 1 });
    expect(ownPidsOf(dataDir)).toEqual(expect.arrayContaining(launched));
    expect(service.output()).not.toMatch(/stopping|starting it again/);
  });

  it('goes on when a real terminal closes, and ends on SIGTERM', async ({ skip }) => {
    if (!has('/usr/bin/script')) {
      console.log('there is no script(1), which makes terminals: not tried');
      skip();
    }
    const { service, dataDir } = await start(inTerminal('nohup npm start 2>&1 | cat'));
    await service.printed('closing the terminal does not');
    process.kill(service.pid, 'SIGKILL'); // the terminal is gone with its other end
    await until(() => !isThere(service.pid), 'the terminal to close');
    const { id } = await startTraining(service.address);
    expect(await getJson(`${service.address}/jobs/${id}`)).toMatchObject({ status: 'running' });
    const redis = await redisPidOf(dataDir);
    process.kill(launcherOf(dataDir), 'SIGTERM');
    await until(() => pidsOf(dataDir).length === 0 && !isThere(redis), 'all of it to end');
  });
});

describe('a service that was not', () => {
  it('ends in order on SIGHUP', async () => {
    const { service, dataDir } = await start(inShell('sh', 'npm start'));
    await service.printed('Ctrl-C stops everything.');
    await startTraining(service.address);
    const redis = await redisPidOf(dataDir);
    process.kill(-service.pid, 'SIGHUP');
    await service.printed('stopped; "npm start" goes on').catch(() => {}); // npm has ended first
    await until(() => pidsOf(dataDir).length === 0 && !isThere(redis), 'all of it to end');
    expect(service.output()).toContain('stopping: server, worker, Redis\nstopped; "npm start" goes on');
  });

  it('ends when a real terminal closes', async ({ skip }) => {
    if (!has('/usr/bin/script')) {
      console.log('there is no script(1), which makes terminals: not tried');
      skip();
    }
    const { service, dataDir } = await start(inTerminal('npm start'));
    await service.printed('Ctrl-C stops everything.');
    const redis = await redisPidOf(dataDir);
    process.kill(service.pid, 'SIGKILL');
    await until(() => pidsOf(dataDir).length === 0, 'all of it to end');
    expect(isThere(redis)).toBe(false);
  });
});

/** Lists the launcher and what it has started, without npm and the shells around it. */
function ownPidsOf(dataDir: string): number[] {
  const isOwn = (line: string) => /run\.mjs (?:start|server|worker)|dist\/\S+\.js/.test(line);
  return processesOf(dataDir)
    .filter(isOwn)
    .map((line) => Number.parseInt(line));
}

function launcherOf(dataDir: string): number {
  return Number.parseInt(processesOf(dataDir).find((line) => /run\.mjs start|dist\/start\.js/.test(line))!);
}

/** What a bench has started does not outlive it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isThere, until } from '../../harness/service.ts';
import { temporaryDirectory } from '../temporary.ts';

const program = fileURLToPath(new URL('ending-program.ts', import.meta.url));

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the program that is measured, then the bench',
  async (signal) => {
    const file = join(await temporaryDirectory(), 'pid');
    const bench = start('wait', file);
    const pid = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
    await until(() => pid() > 0, 'the program to start');
    bench.child.kill(signal);
    expect(await bench.ended).toEqual([130, null]);
    expect(await bench.stdout).toBe('ended\n');
    await until(() => !isThere(pid()), 'the program to be gone', 5000);
  },
);

it('a failure is printed, everything is ended, and the exit code is 1', async () => {
  const bench = start('fail', '');
  expect(await bench.ended).toEqual([1, null]);
  expect(await bench.stdout).toBe('ended\n');
  expect(await bench.stderr).toContain('Error: expected to fail');
});

function start(mode: string, file: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', program, mode, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  return { child, ended: once(child, 'exit'), stdout: text(child.stdout), stderr: text(child.stderr) };
}

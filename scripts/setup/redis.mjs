/** A Redis for the launcher to start: found on the PATH or installed, never started here. */
import { basename } from 'node:path';
import { findCommand, run } from './command.mjs';
import { indent, SetupFailure } from './failure.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';

const oldest = '6.2'; // what BullMQ needs

/** @type {import('./main.mjs').Step} */
export const redis = {
  title: 'Redis',
  async check(context) {
    if (context.env['REDIS_URL']) return { mark: '–', text: 'Redis not needed here: REDIS_URL is set' };
    const path = findCommand(context.env, 'redis-server', 'valkey-server');
    if (path === null) return null;
    const result = await run(path, ['--version'], { signal: context.signal, timeoutMs: 10_000 });
    const answer = result.ok ? result.stdout.trim() : result.message;
    const version = /\bv=(\d+\.\d+[\d.]*)/.exec(answer)?.[1];
    if (!version) return refuse(context, `${path} --version gave: ${answer}`);
    const isOld = version.localeCompare(oldest, 'en', { numeric: true }) < 0;
    if (isOld) return refuse(context, `${path} is version ${version}`);
    return { mark: '✓', text: `${basename(path).startsWith('valkey') ? 'Valkey' : 'Redis'} ${version}` };
  },
  async make(context) {
    if (!mayInstall(context.system)) refuse(context, 'neither is there');
    const result = await aptInstall(context, ['redis']);
    if (!result.ok) refuse(context, `neither is there, and ${result.message}`);
    return (await redis.check(context)) ?? refuse(context, 'it is still not on the PATH after installing it');
  },
};

/** @type {(context: import('./main.mjs').Context, found: string) => never} */
function refuse({ system }, found) {
  const command = installCommand(system, ['redis']);
  const note = command.endsWith('valkey') ? '   (redis, where this release has no valkey)' : '';
  throw new SetupFailure(
    `expected redis-server or valkey-server ${oldest} or newer on the PATH, but ${found}\n` +
      `What to do: run this, then the command again:\n${indent(command)}${note}\n` +
      'or set REDIS_URL to a Redis that is running.',
  );
}

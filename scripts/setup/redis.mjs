/** A Redis for the launcher to start: found on the PATH or installed, never started here. */
import { basename } from 'node:path';
import { findCommand, run } from './command.mjs';
import { indent, SetupFailure } from './failure.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';
import { ensure } from './turn.mjs';

const oldest = { major: 6, minor: 2 }; // what BullMQ needs

/**
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns {Promise<import('./main.mjs').Outcome>}
 * @throws {SetupFailure} when there is none, or too old a one, and set-up can't install it
 */
export async function provideRedis(context, activity) {
  if (context.env['REDIS_URL']) return { mark: '–', text: 'Redis not needed here: REDIS_URL is set' };
  return ensure(
    context,
    activity,
    () => findRedis(context),
    async () => {
      await installRedis(context, activity);
      return (await findRedis(context)) ?? refuse(context, 'it is still not on the PATH after installing it');
    },
  );
}

/**
 * @param {import('./main.mjs').Context} context
 * @returns {Promise<import('./main.mjs').Outcome | null>}
 */
async function findRedis(context) {
  const path = findCommand(context.env, 'redis-server', 'valkey-server');
  if (path === null) return null;
  const result = await run(path, ['--version'], { signal: context.signal, timeoutMs: 10_000 });
  const answer = result.ok ? result.stdout.trim() : result.message;
  const version = /\bv=((\d+)\.(\d+)[\d.]*)/.exec(answer);
  if (!version) return refuse(context, `${path} --version gave: ${answer}`);
  const major = Number(version[2]);
  const newEnough = major > oldest.major || (major === oldest.major && Number(version[3]) >= oldest.minor);
  if (!newEnough) return refuse(context, `${path} is version ${version[1]}`);
  const name = basename(path).startsWith('valkey') ? 'Valkey' : 'Redis';
  return { mark: '✓', text: `${name} ${version[1]}` };
}

/**
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 */
async function installRedis(context, activity) {
  if (!mayInstall(context.system)) refuse(context, 'neither is there');
  activity.doing({ name: 'apt-get install redis-server' });
  const result = await aptInstall(context, ['redis']);
  if (!result.ok) refuse(context, `neither is there, and ${result.message}`);
}

/**
 * @param {import('./main.mjs').Context} context
 * @param {string} found
 * @returns {never}
 */
function refuse({ system }, found) {
  const command = installCommand(system, ['redis']);
  const note = command.endsWith('valkey') ? '   (redis, where this release has no valkey)' : '';
  throw new SetupFailure(
    `expected redis-server or valkey-server ${oldest.major}.${oldest.minor} or newer on the PATH, but ${found}\n` +
      `What to do: run this, then the command again:\n${indent(command)}${note}\n` +
      'or set REDIS_URL to a Redis that is running.',
  );
}

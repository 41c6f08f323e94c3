/** A Redis for the queue: one at REDIS_URL, one on the PATH, or one that apt installs. */
import { excerpt, run, SetupError } from './step.mjs';
import { aptInstall, canUseApt, findProgram, installCommand } from './system.mjs';

const oldest = [6, 2];

/** @throws SetupError with the command for this system when there is none */
export async function provideRedis(progress) {
  if (process.env.REDIS_URL) return 'the one at REDIS_URL';
  const there = findServer();
  if (there) return describe(there);
  if (!canUseApt())
    throw new SetupError(`expected redis-server or valkey-server on the PATH, found neither; ${advice()}`);
  const { ok, output } = await aptInstall(['redis-server'], progress);
  const installed = findServer();
  if (!ok || !installed)
    throw new SetupError(`expected apt-get to install redis-server, it printed:\n${excerpt(output)}`);
  return `${await describe(installed)}, installed by apt`;
}

function findServer() {
  return findProgram('redis-server', 'valkey-server');
}

async function describe(program) {
  const { output } = await run(program, ['--version']);
  const version = /v=(\d+)\.(\d+)\.(\d+)/.exec(output);
  if (!version)
    throw new SetupError(`expected ${program} --version to tell a version, it printed:\n${excerpt(output)}`);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new SetupError(
      `expected Redis ${oldest.join('.')} or newer, ${program} is ${version[0].slice(2)}; ${advice()}`,
    );
  }
  return `${program} ${version[0].slice(2)}`;
}

function advice() {
  const command = installCommand({ 'apt-get': 'redis-server', other: 'redis' });
  return command
    ? `run: ${command}\nor set REDIS_URL to one that runs`
    : 'install Redis, or set REDIS_URL to one that runs';
}

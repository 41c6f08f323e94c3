/** What set-up takes from its surroundings: where downloads are kept, and the environment of the commands it runs. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { SetupFailure } from './failure.mjs';

/**
 * Downloads are kept in TRAINYARD_CACHE, or else in the user's cache directory (XDG Base Directory Specification), or
 * else in the checkout: a container's user often has no home, or none that it may write to.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root the repository
 * @returns {{ cacheDir: string, env: NodeJS.ProcessEnv, note: string | null }} a note where the cache is not in its
 *   usual place
 * @throws {SetupFailure} when downloads can be kept nowhere
 */
export function readSurroundings(env, root) {
  const home = homeDirectory();
  const named = env['TRAINYARD_CACHE'];
  const usual = named ? resolve(named) : usualCache(env, home);
  const candidates = [usual, named ? null : join(root, '.cache')].filter((path) => path !== null);
  const reasons = usual === null ? ['this user has no home directory'] : [];
  for (const cacheDir of candidates) {
    const reason = whyUnusable(cacheDir);
    if (reason === null) {
      const note = `downloads are kept in ${cacheDir}\n    ${reasons.join('; ')}; TRAINYARD_CACHE names another place`;
      const commandEnv = { ...env, HOME: home ?? cacheDir }; // npm ends without a home
      return { cacheDir, env: commandEnv, note: cacheDir === usual ? null : note };
    }
    reasons.push(reason);
  }
  throw new SetupFailure(
    `expected to keep downloads in ${candidates.join(' or ')}, but ${reasons.join('; ')}\n` +
      'What to do: set TRAINYARD_CACHE to a directory that you can write in, then run the command again.',
  );
}

/** The user's home, or null where it is not named, is not there or is closed to this user. */
function homeDirectory() {
  try {
    const home = homedir();
    if (!isAbsolute(home) || !statSync(home).isDirectory()) return null;
    accessSync(home, constants.X_OK);
    return home;
  } catch {
    return null;
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string | null} home
 * @returns the user's cache directory, or null
 */
function usualCache(env, home) {
  const named = env['XDG_CACHE_HOME'];
  if (named && isAbsolute(named)) return join(named, 'trainyard'); // a relative one is to be ignored
  return home && join(home, '.cache/trainyard');
}

/** @param {string} directory is made where it is missing */
function whyUnusable(directory) {
  try {
    makeDirectory(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/**
 * Not by `recursive: true`, which never returns in /proc.
 *
 * @param {string} path
 */
function makeDirectory(path) {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw new Error(`${path} is not a directory`);
    return;
  }
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error; // another set-up may have just made it
  }
}

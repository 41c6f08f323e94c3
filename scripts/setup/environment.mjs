/** What set-up takes from its surroundings: where downloads are kept, and the environment of the commands it runs. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { SetupFailure } from './failure.mjs';

/**
 * Downloads are kept in TRAINYARD_CACHE, or else in the user's cache directory (XDG Base Directory Specification), or
 * else, with a note, in the checkout: a container's user often has no home, or none that it may write to.
 *
 * @type {(env: NodeJS.ProcessEnv, root: string) => { cacheDir: string, env: NodeJS.ProcessEnv, note: string | null }}
 * @throws {SetupFailure} when downloads can be kept nowhere
 */
export function readSurroundings(env, root) {
  const home = homeDirectory();
  const named = env['TRAINYARD_CACHE'];
  const xdg = env['XDG_CACHE_HOME'] ?? '';
  const caches = isAbsolute(xdg) ? xdg : home && join(home, '.cache'); // a relative one is to be ignored
  const usual = named ? resolve(named) : caches && join(caches, 'trainyard');
  const candidates = [usual, named ? null : join(root, '.cache')].filter((path) => path !== null);
  const reasons = usual === null ? ['this user has no home directory'] : [];
  for (const cacheDir of candidates) {
    try {
      makeDirectory(cacheDir);
      accessSync(cacheDir, constants.W_OK | constants.X_OK);
      const where = `downloads are kept in ${cacheDir}\n    ${reasons.join('; ')}; TRAINYARD_CACHE names another place`;
      const note = cacheDir === usual ? null : where;
      return { cacheDir, env: { ...env, HOME: home ?? cacheDir }, note }; // npm ends without a home
    } catch (error) {
      reasons.push(/** @type {Error} */ (error).message);
    }
  }
  throw new SetupFailure(
    `expected to keep downloads in ${candidates.join(' or ')}, but ${reasons.join('; ')}\n` +
      'What to do: set TRAINYARD_CACHE to a directory that you can write in, then run the command again.',
  );
}

/** The user's home, or null where it is not named, is not there or is closed to this user. */
function homeDirectory() {
  try {
    accessSync(join(homedir(), '.'), constants.X_OK);
    return isAbsolute(homedir()) && statSync(homedir()).isDirectory() ? homedir() : null;
  } catch {
    return null;
  }
}

/** @param {string} path is made without `recursive: true`, which never returns in /proc */
function makeDirectory(path) {
  if (!existsSync(path)) {
    makeDirectory(dirname(path));
    try {
      mkdirSync(path);
    } catch (error) {
      if (!existsSync(path)) throw error; // else another set-up has just made it
    }
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} is not a directory`);
}

/**
 * One set-up at a time for a cache directory. Held as a socket that is listened on, since the system lets go of
 * it however the process ends: no stale lock, nothing to poll.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/**
 * @param {string} cacheDir
 * @param {AbortSignal} signal
 */
export function createTurn(cacheDir, signal) {
  const address = addressOf(cacheDir);
  const waiting = /** @type {Set<import('node:net').Socket>} */ (new Set());
  const server = createServer((socket) => waiting.add(socket.unref().on('error', () => {}))).unref();
  /** @type {Promise<void> | null} */
  let taken = null;
  return {
    /** Resolves when the turn is ours; it stays so until `release`. */
    take: () => (taken ??= take(server, address, signal)),
    release() {
      server.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}

/**
 * Makes what is not in place yet, in turn with other set-ups: what one of them has made meanwhile is taken.
 *
 * @template T
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @param {() => Promise<T | null>} check what is in place, or null
 * @param {() => Promise<T>} make
 */
export async function ensure(context, activity, check, make) {
  const found = await check();
  if (found !== null) return found;
  activity.doing({ name: 'waiting for another set-up' });
  await context.takeTurn();
  return (await check()) ?? make();
}

/**
 * Linux has socket names that are no files; elsewhere the socket lies in the cache directory.
 *
 * @param {string} cacheDir
 */
function addressOf(cacheDir) {
  const name = createHash('sha256').update(cacheDir).digest('hex').slice(0, 16);
  if (process.platform === 'linux') return `\0trainyard-setup-${name}`;
  return join(cacheDir, 'setup.sock');
}

/**
 * @param {import('node:net').Server} server
 * @param {string} address
 * @param {AbortSignal} signal
 */
async function take(server, address, signal) {
  for (;;) {
    try {
      server.listen(address);
      await once(server, 'listening');
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error;
    }
    await untilReleased(address, signal);
  }
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
async function untilReleased(address, signal) {
  const holder = connect(address);
  try {
    await once(holder, 'connect', { signal });
    holder.resume();
    await once(holder, 'close', { signal });
  } catch (error) {
    signal.throwIfAborted();
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ECONNREFUSED' && !address.startsWith('\0')) rmSync(address, { force: true }); // left by a kill
  } finally {
    holder.destroy();
  }
}

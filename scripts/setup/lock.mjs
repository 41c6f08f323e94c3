/**
 * One set-up at a time for a cache directory. The lock is a listening socket: the system closes it however the process
 * ends, so no lock is ever stale. On Linux it has a name and is no file.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** @type {(cacheDir: string, signal: AbortSignal) => Promise<() => void>} takes it in turn; returns what releases it */
export async function takeLock(cacheDir, signal) {
  const name = createHash('sha256').update(cacheDir).digest('hex').slice(0, 16);
  const address = process.platform === 'linux' ? `\0trainyard-setup-${name}` : join(cacheDir, 'setup.sock');
  const waiting = /** @type {Set<import('node:net').Socket>} */ (new Set());
  const server = createServer((socket) => waiting.add(socket.unref().on('error', () => {}))).unref();
  for (;;) {
    const listening = once(server.listen(address), 'listening');
    const error = await listening.then(() => null).catch((reason) => reason);
    if (error === null) break;
    if (error.code !== 'EADDRINUSE') throw error;
    await untilReleased(address, signal);
  }
  return () => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
}

/** @type {(address: string, signal: AbortSignal) => Promise<void>} */
async function untilReleased(address, signal) {
  const holder = connect(address);
  try {
    await once(holder, 'connect', { signal });
    await once(holder.resume(), 'close', { signal });
  } catch (error) {
    signal.throwIfAborted();
    const isLeft = /** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED'; // by a killed set-up
    if (isLeft && !address.startsWith('\0')) rmSync(address, { force: true });
  } finally {
    holder.destroy();
  }
}

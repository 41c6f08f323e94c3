/** How an entry starts and ends: on a signal, on a fault, or when the launcher that started it is gone. */
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { messageOf, TrainyardError } from './model/errors.ts';

const closeWithinMs = 10_000;

/** Runs `main`; a TrainyardError is printed as what it says, without a stack, and ends the process with 1. */
export async function runEntry(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof TrainyardError ? `${error.code}: ${error.message}` : messageOf(error);
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}

/** Calls `close` once, whatever ends the process first. */
export function closeOnExit(log: Logger, close: () => Promise<void>): void {
  const handle = closeWithGrace({ delay: closeWithinMs, logger: log }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'closing after a fault');
    else log.info({ signal }, 'closing');
    await close();
  });
  process.on('disconnect', () => handle.close()); // the launcher's end of the channel is gone
}

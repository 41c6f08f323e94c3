/** How an entry starts and ends: on a signal, on a fault, or when the launcher that started it is gone. */
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { TrainyardError, WrongCall } from './lib/errors.ts';
import { ignoresHangup } from './lib/nohup.mjs';

const echoMs = 1000; // npm passes a Ctrl-C on that the terminal has sent already; later, a person means it
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Others that close-with-grace would answer. After a crash of native code the handler runs again and again: no core, no end. */
const leftAlone = [
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGUSR2',
] as const;

/** Runs `main`; what it throws is printed and ends the process with 1, or with 2 for a wrong call. */
export async function runEntry(main: () => Promise<void>): Promise<void> {
  if (ignoresHangup()) {
    process.env['IGNORE_SIGHUP'] = 'true'; // for the processes that this one starts
    process.on('SIGHUP', () => {}); // ignored from the start, not only once there is something to close
  }
  process.on('disconnect', leave);
  if (process.send && !process.connected) leave(); // it ended while this process was loading
  // Whoever read what we print is gone; that is no reason to fail, least of all while closing.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exit(error instanceof WrongCall ? 2 : 1);
  }
}

/** Before there is anything to close: when the launcher is gone, so are we. */
function leave(): void {
  process.exit(1);
}

/** A TrainyardError says all there is to say; anything else is a defect, and its stack is wanted. */
function describe(error: unknown): string {
  if (error instanceof TrainyardError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Calls `close` once, whatever ends the process first. When it takes longer than `withinMs`, or a person
 * asks a second time, the process ends without waiting for it.
 */
export function closeOnExit(log: Logger, close: () => Promise<void>, withinMs = 10_000): void {
  let closingSince: number | null = null;
  const options = { delay: withinMs, logger: log, skip: [...signals, ...leftAlone] };
  const handle = closeWithGrace(options, async ({ err }) => {
    closingSince = performance.now();
    if (err) log.fatal({ err }, 'closing after a fault');
    await close();
  });
  const begin = (why: string) => {
    log.info(`closing: ${why}`);
    handle.close();
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (closingSince === null) return begin(signal);
    if (performance.now() - closingSince < echoMs) return;
    log.warn(`${signal} while closing: not waiting any longer`);
    process.exit(1);
  };
  for (const signal of signals) {
    if (signal !== 'SIGHUP' || !ignoresHangup()) process.on(signal, onSignal);
  }
  process.off('disconnect', leave);
  process.on('disconnect', () => {
    if (closingSince === null) begin('the launcher is gone'); // its end of the channel has closed
  });
}

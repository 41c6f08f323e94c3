/** Start and end of a process: on a signal, on a fault, or when the launcher that started it is gone. */
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { expectLittleEndian } from './lib/byte-order.ts';
import { TrainyardError, WrongCall } from './lib/errors.ts';
import { ignoresHangup } from './lib/nohup.mjs';

const echoMs = 1000; // npm repeats a Ctrl-C that the terminal has sent already; a later one comes from a person
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Signals that close-with-grace must not handle: after a native crash its handler would run forever, without a core dump. */
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

/** Runs `main`. Prints what it throws and exits with 1, or with 2 for a wrong call. */
export async function runEntry(main: () => Promise<void>): Promise<void> {
  if (ignoresHangup()) {
    process.env['IGNORE_SIGHUP'] = 'true'; // for child processes
    process.on('SIGHUP', () => {}); // from the start, not only once there is something to close
  }
  process.on('disconnect', leave);
  if (process.send && !process.connected) leave(); // the launcher ended while this process was loading
  // A reader of the output that is gone is no reason to fail, least of all while closing.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    expectLittleEndian();
    await main();
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exit(error instanceof WrongCall ? 2 : 1);
  }
}

/** Ends the process when the launcher is gone, before there is anything to close. */
function leave(): void {
  process.exit(1);
}

/** The message of a TrainyardError is complete. Any other error is a defect, so its stack is printed. */
function describe(error: unknown): string {
  if (error instanceof TrainyardError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Calls `close` once, on the first reason to end. If it takes longer than `withinMs`, or on a second signal, the process
 * ends without waiting for it.
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
    if (closingSince === null) begin('the launcher is gone'); // the IPC channel has closed
  });
}

/** How a bench ends: whatever it has started is ended, also after a failure and on Ctrl-C. */
import { setTimeout as delay } from 'node:timers/promises';

type Ending = () => void | Promise<void>;

const endWithinMs = 20_000; // for one ending
const endings = new Set<Ending>();
const interruption = new AbortController();

/** Aborted by Ctrl-C: for what can be told to stop before it has a handle. */
export const interrupted = interruption.signal;

/** Registers what must happen before the bench ends. Call the result to have it happen now, and not again. */
export function atEnd(end: Ending): () => Promise<void> {
  endings.add(end);
  return async () => {
    if (!endings.delete(end)) return;
    await end();
  };
}

/** Runs a bench; a failure is printed and makes the exit code 1. */
export async function runBench(main: () => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void leave());
  try {
    await main();
  } catch (error) {
    if (interrupted.aborted) return; // its processes were ended under it
    console.error(error instanceof Error ? error.stack : error);
    process.exitCode = 1;
  } finally {
    if (!interrupted.aborted) await endAll();
  }
}

async function leave(): Promise<void> {
  interruption.abort();
  await endAll();
  process.exit(130);
}

/** The last one registered first: servers before the directory that they write to. */
async function endAll(): Promise<void> {
  for (const end of [...endings].toReversed()) {
    endings.delete(end);
    const late = new AbortController();
    const timeUp = delay(endWithinMs, 'late', { signal: late.signal }).catch(() => 'ended');
    const outcome = await Promise.race([Promise.resolve().then(end).catch(String), timeUp]);
    late.abort();
    if (typeof outcome === 'string') console.error(`not ended as it should be: ${outcome}`);
  }
}

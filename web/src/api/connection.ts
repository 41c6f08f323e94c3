/** Whether the server answers. Once it does not, it is asked until it does; whoever shows its data then asks anew. */
import { signal } from '@preact/signals';
import { baseUrl } from './base.ts';
import { pause } from './wait.ts';

const longestPauseMs = 5000;

export const isAway = signal(false);
/** Grows when what is shown is to be asked for anew: the server has come back, or there is a key. */
export const returns = signal(0);
/** Seconds that the server has asked to wait (429); null: none. */
export const askedToWait = signal<number | null>(null);

/** To be called when a request got no answer. */
export function reportLoss(): void {
  if (isAway.value) return;
  isAway.value = true;
  void askUntilItAnswers();
}

async function askUntilItAnswers(): Promise<void> {
  for (let pauseMs = 1000; !(await answers()); pauseMs = Math.min(pauseMs + 1000, longestPauseMs)) {
    await pause(pauseMs);
  }
  isAway.value = false;
  returns.value++;
}

async function answers(): Promise<boolean> {
  try {
    const { ok } = await fetch(`${baseUrl}/health/live`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(5000),
    });
    return ok;
  } catch {
    return false;
  }
}

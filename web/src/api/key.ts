/** The API key, where the server wants one: asked for once, kept while this tab is open. */
import { computed, signal } from '@preact/signals';
import { readStored, store } from '../storage.ts';
import { returns } from './connection.ts';

const storedAs = 'trainyard-api-key';

const key = signal(readStored('sessionStorage', storedAs));
/** A key that the server has refused; null: none was sent. */
const refused = signal<string | null>(null);
const asking = signal(false);
const waiting: (() => void)[] = [];

/** What the dialog shows; null: it is closed. */
export const keyDialog = computed(() => (asking.value ? { wasRefused: refused.value !== null } : null));

export function currentKey(): string | null {
  return key.value;
}

/** Resolves when there is another key than the one that was sent, or when nobody waits any more. */
export async function anotherKey(sent: string | null, ended: AbortSignal): Promise<void> {
  if (key.value !== sent || ended.aborted) return;
  refused.value = sent;
  asking.value = true;
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    ended.addEventListener('abort', () => resolve());
  });
}

export function giveKey(text: string): void {
  key.value = text;
  store('sessionStorage', storedAs, text);
  asking.value = false;
  for (const goOn of waiting.splice(0)) goOn();
  returns.value++; // what has waited for too long is asked anew
}

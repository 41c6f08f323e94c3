/** The API key: asked for when the server requires one, kept while the tab is open. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { readStored, store } from '../storage.ts';

export type Key = {
  current(): string | null;
  /** Opens the dialog; resolves when there is another key than `sent`, or when `ended` aborts. */
  untilAnother(sent: string | null, ended: AbortSignal): Promise<void>;
  /** Closes the dialog and repeats the waiting requests. */
  enter(text: string): void;
  /** What the dialog shows; null: it is closed. */
  readonly dialog: ReadonlySignal<{ readonly wasRefused: boolean } | null>;
};

const storedAs = 'trainyard-api-key';

export function createKey(onEntered: () => void): Key {
  const key = signal(readStored('sessionStorage', storedAs));
  const refused = signal<string | null>(null); // null: the request had no key
  const isOpen = signal(false);
  const waiting: (() => void)[] = [];
  return {
    current: () => key.value,
    untilAnother: async (sent, ended) => {
      if (key.value !== sent || ended.aborted) return;
      refused.value = sent;
      isOpen.value = true;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        ended.addEventListener('abort', () => resolve());
      });
    },
    enter: (text) => {
      key.value = text;
      store('sessionStorage', storedAs, text);
      isOpen.value = false;
      for (const resolve of waiting.splice(0)) resolve();
      onEntered(); // requests that timed out meanwhile are repeated
    },
    dialog: computed(() => (isOpen.value ? { wasRefused: refused.value !== null } : null)),
  };
}

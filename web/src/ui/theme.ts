/** Light or dark: the system's setting, unless the user chooses. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { readStored, store } from '../storage.ts';

type Scheme = 'light' | 'dark';
export type Theme = { readonly scheme: ReadonlySignal<Scheme>; readonly switchScheme: () => void };

const storedAs = 'trainyard-theme';

/** Applies the scheme to the document for as long as the page is open. */
export function followTheme(): Theme {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const system = signal<Scheme>(systemIsDark.matches ? 'dark' : 'light');
  const chosen = signal(readStored('localStorage', storedAs) as Scheme | null);
  const scheme = computed(() => chosen.value ?? system.value);
  systemIsDark.addEventListener('change', ({ matches }) => {
    system.value = matches ? 'dark' : 'light';
  });
  effect(() => document.documentElement.style.setProperty('color-scheme', scheme.value));
  return {
    scheme,
    switchScheme: () => {
      const wanted = scheme.value === 'dark' ? 'light' : 'dark';
      chosen.value = wanted === system.value ? null : wanted; // the system's own scheme follows the system again
      store('localStorage', storedAs, chosen.value);
    },
  };
}

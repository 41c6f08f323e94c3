/** Light or dark: as the system has it, until one chooses. */
import { computed, effect, signal } from '@preact/signals';
import { readStored, store } from '../storage.ts';

type Scheme = 'light' | 'dark';

const storedAs = 'trainyard-theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

const system = signal<Scheme>(systemIsDark.matches ? 'dark' : 'light');
const chosen = signal(readStored('localStorage', storedAs) as Scheme | null);
export const scheme = computed(() => chosen.value ?? system.value);

export function switchScheme(): void {
  const wanted = scheme.value === 'dark' ? 'light' : 'dark';
  chosen.value = wanted === system.value ? null : wanted; // back on the system's: it leads again
  store('localStorage', storedAs, chosen.value);
}

export function followScheme(): void {
  systemIsDark.addEventListener('change', ({ matches }) => {
    system.value = matches ? 'dark' : 'light';
  });
  effect(() => document.documentElement.style.setProperty('color-scheme', scheme.value));
}

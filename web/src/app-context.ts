/** What lives as long as the page is open; views get it by `useApp`. */
import type { ReadonlySignal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from './api/api.ts';
import type { Route } from './route.ts';
import type { Theme } from './ui/theme.ts';

export type App = {
  readonly api: Api;
  readonly route: ReadonlySignal<Route>;
  readonly theme: Theme;
  /** Returns what `create` made for this app, and calls it the first time: a view's code, and its store, are loaded late. */
  store<T>(create: (app: App) => T): T;
};

export function createApp(parts: Omit<App, 'store'>): App {
  const stores = new Map<unknown, unknown>();
  const app: App = {
    ...parts,
    store: <T>(create: (app: App) => T) => {
      if (!stores.has(create)) stores.set(create, create(app));
      return stores.get(create) as T;
    },
  };
  return app;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  return useContext(AppContext)!;
}

/** A store of the app, which outlives the view that uses it. */
export function useStore<T>(create: (app: App) => T): T {
  return useApp().store(create);
}

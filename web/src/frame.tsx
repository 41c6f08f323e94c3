/** The frame around the views: navigation, and whether the server is there. */
import type { ComponentType } from 'preact';
import { useApp } from './app-context.ts';
import { DrawView } from './draw/draw-view.tsx';
import { KeyDialog } from './key-dialog.tsx';
import { Lazy } from './lazy.tsx';
import { type View, views } from './route.ts';
import { Icon, Mark } from './ui/icons.tsx';

export const viewNames: Readonly<Record<View, string>> = {
  draw: 'Draw',
  train: 'Train',
  models: 'Models',
  datasets: 'Data',
  review: 'Review',
};

export function Frame() {
  const { route } = useApp();
  return (
    <>
      <a class="skip" href="#main" onClick={skipToContent}>
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="#draw" aria-label="Trainyard">
          <Mark />
          <span>Trainyard</span>
        </a>
        <nav aria-label="Views">
          {views.map((view) => (
            <a key={view} href={`#${view}`} aria-current={view === route.value.view ? 'page' : undefined}>
              {viewNames[view]}
            </a>
          ))}
        </nav>
        <a class="bar-docs" href="docs">
          API
        </a>
        <SchemeButton />
      </header>
      <main id="main">
        <CurrentView />
      </main>
      <footer class="foot">
        <a href="docs">API reference</a>
      </footer>
      <ServerNote />
      <KeyDialog />
    </>
  );
}

/** The first view comes with the page; the others are loaded when they are opened. */
const loaders: Readonly<Record<Exclude<View, 'draw'>, () => Promise<ComponentType>>> = {
  train: async () => (await import('./train/train-view.tsx')).TrainView,
  models: async () => (await import('./models/models-view.tsx')).ModelsView,
  datasets: async () => (await import('./datasets/datasets-view.tsx')).DatasetsView,
  review: async () => (await import('./review/review-view.tsx')).ReviewView,
};

function CurrentView() {
  const { view } = useApp().route.value;
  return view === 'draw' ? <DrawView /> : <Lazy key={view} load={loaders[view]} />;
}

function SchemeButton() {
  const { scheme, switchScheme } = useApp().theme;
  const other = scheme.value === 'dark' ? 'light' : 'dark';
  return (
    <button type="button" class="bar-scheme" aria-label={`Switch to ${other}`} onClick={switchScheme}>
      <Icon name={other === 'light' ? 'sun' : 'moon'} />
    </button>
  );
}

/** Lies over the page, so that nothing moves when it appears. */
function ServerNote() {
  const { isAway, waitSeconds } = useApp().api;
  const wait = waitSeconds.value;
  const text = isAway.value
    ? 'The server does not answer. This page goes on as soon as it does.'
    : wait !== null && `The server has many requests; the next one goes in ${wait} s.`;
  return (
    <div class="server-word" role="status" data-shown={Boolean(text)}>
      {text}
    </div>
  );
}

/** A skip link can't use the address, which names the view. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('main h1')?.focus();
}

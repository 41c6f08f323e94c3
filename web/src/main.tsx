import { render } from 'preact';
import { createApi } from './api/api.ts';
import { AppContext, createApp } from './app-context.ts';
import { Frame, viewNames } from './frame.tsx';
import { followRoute, type View } from './route.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/draw.css';
import { keepFocus } from './ui/keep-focus.ts';
import { followTheme } from './ui/theme.ts';

const app = createApp({
  api: createApi(new URL('.', location.href).href.replace(/\/$/, '')),
  route: followRoute((view) => {
    nameView(view);
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
    scrollTo(0, 0);
  }),
  theme: followTheme(),
});
nameView(app.route.value.view);
const root = document.querySelector<HTMLElement>('#app')!;
keepFocus(root);
render(
  <AppContext.Provider value={app}>
    <Frame />
  </AppContext.Provider>,
  root,
);

function nameView(view: View): void {
  document.title = `${viewNames[view]} · Trainyard`;
}

import { render } from 'preact';
import { App, viewNames } from './app.tsx';
import { followRoute } from './route.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/draw.css';
import { followScheme } from './ui/theme.ts';

followScheme();
followRoute((view) => {
  document.title = `${viewNames[view]} · Trainyard`;
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
  scrollTo(0, 0);
});
render(<App />, document.querySelector('#app')!);

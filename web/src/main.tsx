import { render } from 'preact';
import { App, viewNames } from './app.tsx';
import { followRoute, route, type View } from './route.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/draw.css';
import { keepFocus } from './ui/keep-focus.ts';
import { followScheme } from './ui/theme.ts';

followScheme();
followRoute((view) => {
  nameView(view);
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
  scrollTo(0, 0);
});
nameView(route.value.view);
const app = document.querySelector<HTMLElement>('#app')!;
keepFocus(app);
render(<App />, app);

function nameView(view: View): void {
  document.title = `${viewNames[view]} · Trainyard`;
}

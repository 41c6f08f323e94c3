import { render } from 'preact';

render(<h1>Trainyard</h1>, document.querySelector('#app')!);

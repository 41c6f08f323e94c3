import { expect, it } from 'vitest';
import { keepEvents } from '../../../src/model/serving/keep-events.ts';

it('tells who listens late all that has happened, in order, and then what happens', () => {
  const events = keepEvents();
  events.onMessage({ type: 'storeReadable' });
  events.onExit('SIGKILL');
  const heard: string[] = [];
  events.listen({
    onMessage: ({ type }) => void heard.push(type),
    onExit: (how) => void heard.push(how),
  });
  expect(heard).toEqual(['storeReadable', 'SIGKILL']);
  events.onExit('SIGTERM');
  expect(heard).toEqual(['storeReadable', 'SIGKILL', 'SIGTERM']);
});

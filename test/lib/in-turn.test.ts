import { expect, it } from 'vitest';
import { createTurns } from '../../src/lib/in-turn.ts';

it('does one thing at a time, in order, also after one that fails', async () => {
  const inTurn = createTurns();
  const events: string[] = [];
  const work = (name: string, outcome: () => string) =>
    inTurn(async () => {
      events.push(`${name} begins`);
      await Promise.resolve();
      events.push(`${name} ends`);
      return outcome();
    });
  const fail = () => {
    throw new Error('no');
  };
  const outcomes = await Promise.allSettled([work('a', () => '1'), work('b', fail), work('c', () => '3')]);
  expect(outcomes).toMatchObject([{ value: '1' }, { reason: { message: 'no' } }, { value: '3' }]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

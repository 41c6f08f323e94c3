import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { coalesceMessages } from '../../src/lib/coalesce-messages.ts';

it('sends the first message of a turn at once, and the others together at its end, in order', async () => {
  const sent: number[][] = [];
  const post = coalesceMessages<number>((messages) => sent.push(messages));
  post(1);
  expect(sent).toEqual([[1]]);
  post(2);
  post(3);
  expect(sent).toEqual([[1]]);
  await nextTurn();
  expect(sent).toEqual([[1], [2, 3]]);
  post(4);
  await nextTurn();
  await nextTurn();
  expect(sent).toEqual([[1], [2, 3], [4]]);
});

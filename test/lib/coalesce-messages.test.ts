import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { coalesceMessages } from '../../src/lib/coalesce-messages.ts';

it('sends the first message of a turn at once, and the others together at its end, in order', async () => {
  const sent: number[][] = [];
  const post = coalesceMessages<number>((messages) => sent.push(messages), vi.fn());
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

it('reports a message that can not be sent, first or later in a turn, and sends the others', async () => {
  const sent: number[] = [];
  const unsendable: number[] = [];
  const send = (messages: number[]) => {
    if (messages.some((message) => message < 0)) throw new Error('DataCloneError');
    sent.push(...messages);
  };
  const post = coalesceMessages(send, (message) => unsendable.push(message));
  for (const message of [-1, 2, -3, 4]) post(message);
  expect(unsendable).toEqual([-1]);
  await nextTurn();
  expect(sent).toEqual([2, 4]);
  expect(unsendable).toEqual([-1, -3]);
});

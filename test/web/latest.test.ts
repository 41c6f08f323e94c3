import { expect, it } from 'vitest';
import { createLatest } from '../../web/src/draw/latest.ts';

/** Work that ends when the test says so. */
function openWork() {
  const begun: { input: string; signal: AbortSignal; end: (againAfterMs: number | null) => void }[] = [];
  const latest = createLatest<string>(
    (input, signal) => new Promise((end) => void begun.push({ input, signal, end })),
  );
  const inputs = () => begun.map(({ input }) => input);
  return { latest, begun, inputs };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('one is under way at a time, and of those that come meanwhile only the newest is next', async () => {
  const { latest, begun, inputs } = openWork();
  for (const input of ['a', 'b', 'c']) latest.submit(input);
  expect(inputs()).toEqual(['a']);
  begun[0]!.end(null);
  await turn();
  expect(inputs()).toEqual(['a', 'c']);
  begun[1]!.end(null);
  await turn();
  expect(inputs()).toEqual(['a', 'c']);
  latest.submit('d');
  expect(inputs()).toEqual(['a', 'c', 'd']);
});

it('what is dropped is called off, and nothing of it is done later', async () => {
  const { latest, begun, inputs } = openWork();
  latest.submit('a');
  latest.submit('b');
  latest.drop();
  expect(begun[0]!.signal.aborted).toBe(true);
  latest.submit('c');
  begun[0]!.end(0);
  await turn();
  expect(inputs()).toEqual(['a', 'c']);
  begun[1]!.end(null);
  await turn();
  latest.submit('d');
  expect(inputs()).toEqual(['a', 'c', 'd']);
});

it('what is to be tried again is, unless there is something newer', async () => {
  const { latest, begun, inputs } = openWork();
  latest.submit('a');
  begun[0]!.end(0);
  await expect.poll(inputs).toEqual(['a', 'a']);
  latest.submit('b');
  begun[1]!.end(0);
  await expect.poll(inputs).toEqual(['a', 'a', 'b']);
});

it('a wait before the next try ends when it is dropped', async () => {
  const { latest, begun, inputs } = openWork();
  latest.submit('a');
  begun[0]!.end(60_000);
  await turn();
  latest.drop();
  latest.submit('b');
  expect(inputs()).toEqual(['a', 'b']);
});

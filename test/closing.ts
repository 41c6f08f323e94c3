/** What tests open and the end of the test closes, also where tests of a file run side by side. */
import { AsyncLocalStorage } from 'node:async_hooks';

type Close = () => Promise<void>;

const ofTest = new AsyncLocalStorage<Close[]>();

/** Calls `close` at the end of the test that runs, in reverse order of registration. */
export function closeAfterTest(close: Close): void {
  const closing = ofTest.getStore();
  if (!closing) throw new Error('expected a test to run, none does; close in afterAll what a file opens');
  closing.push(close);
}

/** Runs a test with its hooks, then closes what they have opened. */
export async function closingAfter(runTest: () => Promise<void>): Promise<void> {
  const closing: Close[] = [];
  await ofTest.run(closing, runTest);
  for (const close of closing.toReversed()) await close();
}

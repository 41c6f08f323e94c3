/** What tests open and the end of the test closes. */
const closing: (() => Promise<void>)[] = [];

/** Calls `close` at the end of the test, in reverse order of registration. */
export function closeAfterTest(close: () => Promise<void>): void {
  closing.push(close);
}

/** Called after each test. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

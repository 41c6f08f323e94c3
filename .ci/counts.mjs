/**
 * Prints 'N passed, N failed' from vitest's JSON report and ends with the exit code of the run. A run that
 * failed without a failed test, or that ran none, counts as one failure.
 */
import { readFileSync } from 'node:fs';

const [path, status] = process.argv.slice(2);
const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests } = readReport();
const skipped = numPendingTests + numTodoTests;
const ended = Number(status) || (passed + numFailedTests === 0 ? 1 : 0);
const failed = ended === 0 ? numFailedTests : Math.max(1, numFailedTests);

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = ended;

function readReport() {
  const text = readFileSync(path, 'utf8'); // empty when set-up or a check failed before the tests
  return text
    ? JSON.parse(text)
    : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
}

/**
 * `npm run setup`, and the first thing that `npm start` and `npm test` do: brings this checkout to a state in
 * which it runs. What is in place already is left alone.
 *
 * An old Node must get as far as the message about its version: old syntax in this file and in
 * node-version.mjs, and everything else is imported after the check.
 */
import { unsupportedNode } from './setup/node-version.mjs';

const problem = unsupportedNode(process.versions.node);
if (problem === null) {
  void import('./setup/main.mjs').then((setup) => setup.main(process.argv.slice(2)));
} else {
  console.error(problem);
  process.exitCode = 1;
}

#!/usr/bin/env node
/** What `npx trainyard` runs: always there, so that npx finds it; the program itself has to be built. */
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  process.stderr.write('expected the built program, dist/cli.js, found none\nWhat to do: npm run build\n');
  process.exitCode = 1;
}

/** `npx trainyard`: the API from a terminal or a script. */
import { runProgram } from './cli/program.ts';

// Like any program behind a pipe: when `head` has seen enough, there is nothing left to do.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}
process.exitCode = await runProgram(process.argv, process);

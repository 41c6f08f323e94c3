/** `npx trainyard`: the API from a terminal or a script. */
import { runProgram } from './cli/program.ts';

await runProgram(process.argv);

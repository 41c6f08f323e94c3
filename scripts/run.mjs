/**
 * `node scripts/run.mjs PROGRAM [OPTION]…`, which `npm start` and its parts are: reads the options, brings this
 * checkout to a state in which it runs, and becomes the program. All in one process, since a shell between them would
 * neither know the options before set-up nor survive a SIGHUP under nohup.
 *
 * As in setup.mjs, an old Node must get as far as the message about its version.
 */
import { fileURLToPath } from 'node:url';
import { unsupportedNode } from './setup/node-version.mjs';

const problem = unsupportedNode(process.versions.node);
if (problem === null) {
  void run();
} else {
  console.error(problem);
  process.exitCode = 1;
}

async function run() {
  const [name, ...args] = process.argv.slice(2);
  const program = /** @type {import('../src/options.mjs').Program} */ (name);
  const { takeOptions } = await import('../src/options.mjs');
  Object.assign(process.env, takeOptions(program, args).environment); // set-up has to know ENGINE
  const { ignoresHangup } = await import('../src/lib/nohup.mjs');
  if (ignoresHangup()) {
    process.env['IGNORE_SIGHUP'] = 'true'; // for set-up and the program, also when npm, the trace of nohup, is gone
    process.on('SIGHUP', () => {});
  }
  const setup = await import('./setup/main.mjs');
  await setup.main(program === 'start' ? [] : ['--no-redis']);
  if (process.exitCode) return;
  const entry = new URL(`../dist/${program}.js`, import.meta.url);
  process.argv.splice(1, 2, fileURLToPath(entry));
  await import(entry.href);
}

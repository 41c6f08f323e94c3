/**
 * Loaded into a process by NODE_OPTIONS=--import: appends the delay of its event loop (p99 and longest, ms), second by
 * second, to a file in EVENT_LOOP_DELAY_DIR named after its program.
 */
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const directory = process.env['EVENT_LOOP_DELAY_DIR'];
const program = basename(process.argv[1] ?? '');
if (directory && program === 'server.js') {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  setInterval(() => {
    const line = { at: Date.now(), p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 };
    delay.reset();
    appendFileSync(join(directory, program), `${JSON.stringify(line)}\n`);
  }, 1000).unref();
}

/** Preloaded into the processes of a service, see pausing.ts: its worker has trainers pause after each step. */
import { basename } from 'node:path';

if (basename(process.argv[1] ?? '') === 'worker.js') {
  const { defaultTimings } = await import('../dist/jobs/worker/options.js');
  Object.assign(defaultTimings, { stepPauseMs: Number(process.env['TEST_STEP_PAUSE_MS']) });
}

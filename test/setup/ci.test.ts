/** .ci/run over an npm that plays one ended run of the tests. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../temporary.ts';
import { addCommand, type Checkout, repository } from './checkout.ts';

const counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };

describe('.ci/run', () => {
  it('closes with the counts of the run', async () => {
    expect(await ciRun({ numPassedTests: 12 }, 0)).toEqual({ last: '12 passed, 0 failed', status: 0 });
  });

  it('names what was skipped', async () => {
    const report = { numPassedTests: 12, numPendingTests: 2, numTodoTests: 1 };
    expect(await ciRun(report, 0)).toEqual({ last: '12 passed, 0 failed, 3 skipped', status: 0 });
  });

  it('ends as the tests ended', async () => {
    const report = { numPassedTests: 10, numFailedTests: 2 };
    expect(await ciRun(report, 1)).toEqual({ last: '10 passed, 2 failed', status: 1 });
  });

  it('counts a failure without a failed test', async () => {
    expect(await ciRun({ numPassedTests: 10 }, 1)).toEqual({ last: '10 passed, 1 failed', status: 1 });
  });

  it('counts a failure where the tests never ran', async () => {
    expect(await ciRun(null, 130)).toEqual({ last: '0 passed, 1 failed', status: 130 });
  });

  it('counts a failure where there were none to run', async () => {
    expect(await ciRun({}, 0)).toEqual({ last: '0 passed, 1 failed', status: 1 });
  });
});

/** Runs .ci/run where `npm test` leaves this report and ends with this status. */
async function ciRun(report: Partial<typeof counts> | null, status: number) {
  const root = await temporaryDirectory();
  const commands = join(root, 'commands');
  await mkdir(commands);
  await cp(join(repository, '.ci'), join(root, '.ci'), { recursive: true });
  const text = report ? JSON.stringify({ ...counts, ...report }) : '';
  const script = `[ "$*" = test ] || exit 99\nprintf '%s' '${text}' > "$TEST_REPORT"\nexit ${status}`;
  await addCommand({ commands } as Checkout, 'npm', script);
  const env = { ...process.env, PATH: `${commands}:${process.env['PATH']}` };
  const result = spawnSync('bash', [join(root, '.ci/run')], { env, encoding: 'utf8' });
  return { last: result.stdout.trimEnd().split('\n').at(-1), status: result.status };
}

/** Starts the files that take longest first, so that no core is idle while the last of them runs. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whole folders too; all others follow in vitest's own order. */
const slow = [
  'test/page/',
  'test/e2e/first-run',
  'test/jobs/redis/refusals',
  'test/setup.test',
  'test/model/engines/webgpu-here',
  'test/faults/redis',
  'test/jobs/worker/crash',
  'test/jobs/worker/run',
  'test/faults/training',
  'test/e2e/hangup',
  'test/e2e/service',
  'test/options',
  'test/model/serving/faults',
  'test/setup/npm-settings',
  'test/e2e/odd-path',
  'test/faults/disk-full',
  'test/routes/http/connections',
  'test/routes/http/overload',
  'test/jobs/producer/',
  'test/launcher/',
  'test/model/engines/',
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = slow.findIndex((path) => moduleId.includes(path));
      return place < 0 ? slow.length : place;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's method, not the array's
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => rank(a) - rank(b));
  }
}

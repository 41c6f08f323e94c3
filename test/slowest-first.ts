/**
 * Starts the files that take longest first, so that no core is idle while the last of them runs, and files that mostly wait
 * beside files that compute, so that none is while both workers wait.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whole folders too; all others follow in vitest's own order. */
const slow = [
  'test/page/', // beside it run the next ones, which compute
  'test/e2e/first-run',
  'test/model/engines/webgpu-here',
  'test/model/engines/wasm.test',
  'test/setup.test',
  'test/e2e/odd-path',
  'test/model/engines/tensorflow-layers',
  'test/faults/redis', // waits, and so does each first one below
  'test/model/image/',

  'test/jobs/redis/refusals',
  'test/model/data/',
  'test/model/training/',
  'test/faults/malformed-pictures',

  'test/jobs/worker/crash',
  'test/model/serving/photos',
  'test/model/engines/',
  'test/setup/',

  'test/faults/disk-full',
  'test/faults/training',
  'test/routes/http/',

  'test/e2e/',
  'test/jobs/worker/',
  'test/jobs/producer/',
  'test/launcher/',
  'test/options',
  'test/cli/',
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = slow.findIndex((path) => moduleId.includes(path));
      return place < 0 ? slow.length : place;
    };
    const sortAsUsual = super.sort.bind(this);
    const usual = await sortAsUsual(files);
    return usual.toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * `npm run bench:variants`: trains the default recipe, then sends all 10,000 MNIST test images through
 * POST /predict, as they are and as people would send them, and prints the accuracy of each.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAccuracy, variantNames } from '../harness/digits.ts';
import { getJson, startService } from '../harness/service.ts';
import type { TrainJob } from '../src/jobs/contract.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

await runBench(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(dataDir, { recursive: true, force: true }));
  const service = await startService(dataDir, {}, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  await service.printed('Try it:', 10 * 60_000);
  const { data } = await getJson<{ data: TrainJob[] }>(`${service.address}/jobs`);
  const { testAccuracy, seconds } = data[0]!.epochs.at(-1)!;
  console.log(
    `the job measured ${percent(testAccuracy)} on ${data[0]!.engine!.device}, after ${seconds.toFixed(0)} s`,
  );
  const test = await readSplit('mnist', 'test');
  const accuracies: Record<string, number> = {};
  for (const variant of variantNames) {
    accuracies[variant] = await measureAccuracy(service.address, test, variant, test.count);
    console.log(`${variant.padEnd(12)} ${percent(accuracies[variant])}`);
  }
  if (values.json) console.log(JSON.stringify({ testAccuracy, accuracies }));
});

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/**
 * What an exported file of the largest network costs the thread of the API that answers everybody: its CPU time is as long as
 * others wait at most, and no other program on the machine adds to it.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startService } from '../../harness/service.ts';
import { exportFormats } from '../../src/model/export/export-version.ts';
import { buildNetwork, initialWeights } from '../../src/model/network/network.ts';
import type { Layer } from '../../src/model/network/specification.ts';
import { openStore } from '../../src/model/store/store.ts';
import { atEnd, interrupted } from '../lib/ending.ts';
import { descendants } from '../lib/processes.ts';
import type { Verdict } from '../lib/report.ts';
import { median } from '../lib/statistics.ts';

const rounds = 7;
const settleMs = 3000; // what the start left to do
const layers: Layer[] = [
  { kind: 'dense', units: 1900 },
  { kind: 'dense', units: 250 },
]; // 1,969,260 parameters with ten labels; at most 2,000,000 are allowed

export async function timeBesideExports(dataDir: string): Promise<Verdict[]> {
  await publishLargest(dataDir);
  const service = await startService(dataDir, { FIRST_MODEL: 'false' }, undefined, interrupted);
  const end = atEnd(async () => void (await service.end()));
  const [api] = await descendants(service.pid, 'dist/server.js');
  const verdicts: Verdict[] = [];
  await delay(settleMs);
  for (const format of exportFormats) {
    const url = `${service.address}/models/1/export?format=${format}`;
    await get(url); // loads the code
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = await mainThreadMs(api!);
      await get(url);
      times.push((await mainThreadMs(api!)) - before);
    }
    const what = `${format} of 2 M parameters: the API's main thread computes for`;
    verdicts.push({ what, value: median(times), bar: 20, better: 'less', unit: ' ms' });
  }
  await end();
  return verdicts;
}

async function publishLargest(dataDir: string): Promise<void> {
  const network = buildNetwork({ layers }, 10);
  await openStore(dataDir).publish(network, initialWeights(network, 1), {
    jobId: 'job-1',
    epoch: 1,
    epochs: 1,
    recipe: 'default',
    seed: 1,
    request: {},
    dataset: { name: 'mnist', sha256: {} },
    engine: { name: 'wasm', device: 'CPU', gpu: false },
    gitCommit: null,
    metrics: { trainLoss: 2.3, testLoss: 2.3, testAccuracy: 0.1 },
  });
}

async function get(url: string): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url}: expected 200, got ${response.status}`);
}

/** The CPU time of a process's main thread so far (proc(5), schedstat: nanoseconds). */
async function mainThreadMs(pid: number): Promise<number> {
  const [onCpu] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ');
  return Number(onCpu) / 1e6;
}

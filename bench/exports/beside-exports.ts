/** How late the API's event loop is while it answers with files of the largest network that a request may ask for. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startService } from '../../harness/service.ts';
import { exportFormats } from '../../src/model/export/export-version.ts';
import { buildNetwork, initialWeights } from '../../src/model/network/network.ts';
import type { Layer } from '../../src/model/network/specification.ts';
import { openStore } from '../../src/model/store/store.ts';
import { atEnd, interrupted } from '../lib/ending.ts';
import type { Verdict } from '../lib/report.ts';
import { median } from '../lib/statistics.ts';

const rounds = 5;
const secondMs = 1000; // the delay is noted once a second
const layers: Layer[] = [
  { kind: 'dense', units: 1900 },
  { kind: 'dense', units: 250 },
]; // 1,969,260 parameters with ten labels; at most 2,000,000 are allowed

/** The longest delay of each round: the median says what an export costs, since other programs delay a round now and then. */
export async function latenessBesideExports(directory: string): Promise<Verdict[]> {
  const [dataDir, delaysDir] = [join(directory, 'data'), join(directory, 'delays')];
  await mkdir(delaysDir);
  await publishLargest(dataDir);
  const hook = new URL('../lib/event-loop-delay.mjs', import.meta.url).href;
  const env = { FIRST_MODEL: 'false', NODE_OPTIONS: `--import ${hook}`, EVENT_LOOP_DELAY_DIR: delaysDir };
  const service = await startService(dataDir, env, undefined, interrupted);
  const end = atEnd(async () => void (await service.end()));
  await get(`${service.address}/models/1/export?format=card`); // loads the code
  await delay(5 * secondMs); // until what the start left to do is done
  const idle = await longestOf(delaysDir, () => delay(secondMs));
  console.log(`the API's event loop is late by at most ${idle.toFixed(1)} ms in a second without requests`);
  const verdicts: Verdict[] = [];
  for (const format of exportFormats) {
    const longest = await longestOf(delaysDir, () =>
      get(`${service.address}/models/1/export?format=${format}`),
    );
    const what = `${format} of 2 M parameters: the API's event loop is late by`;
    verdicts.push({ what, value: longest, bar: 20, better: 'less', unit: ' ms' });
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

/** The median over the rounds of the longest delay while `work` is done, ms. */
async function longestOf(delaysDir: string, work: () => Promise<void>): Promise<number> {
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = Date.now();
    await work();
    const to = Date.now();
    await delay(2 * secondMs); // until the second in which it ended is noted
    longest.push(Math.max(...(await delaysBetween(delaysDir, from, to))));
  }
  return median(longest);
}

async function delaysBetween(delaysDir: string, from: number, to: number): Promise<number[]> {
  const lines = (await readFile(join(delaysDir, 'server.js'), 'utf8')).trim().split('\n');
  const noted = lines.map((line) => JSON.parse(line) as { at: number; maxMs: number });
  return noted.filter(({ at }) => at >= from && at - secondMs <= to).map(({ maxMs }) => maxMs);
}

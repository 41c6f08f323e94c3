/** How long answers take while a job trains on the same cores. */

import { getJson, type Service, until } from '../../harness/service.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { type Load, type LoadOf, open, type Scenario, single, small } from './load.ts';

export type BesideTraining = {
  readonly scenario: Scenario;
  readonly idle: Load[];
  readonly busy: Load[];
};

/** Idle and beside a job in turns, so many rounds. */
export async function besideTraining(
  { address }: Service,
  load: LoadOf,
  rounds: number,
): Promise<BesideTraining[]> {
  const results: BesideTraining[] = [small, single, open].map((scenario) => ({
    scenario,
    idle: [],
    busy: [],
  }));
  for (let round = 1; round <= rounds; round++) {
    const place = `round ${round} of ${rounds}`;
    for (const { scenario, idle } of results) idle.push(await load(`${place}, idle`, address, scenario));
    await whileTraining(address, async () => {
      for (const { scenario, busy } of results)
        busy.push(await load(`${place}, beside training`, address, scenario));
    });
    for (const { scenario, idle, busy } of results) {
      const [before, meanwhile] = [idle.at(-1)!.p99, busy.at(-1)!.p99].map((ms) => ms.toFixed(1));
      console.log(`${place}: ${scenario.name}: p99 ${meanwhile} ms beside training, ${before} ms idle`);
    }
  }
  return results;
}

/** Cancels the job at the end. Throws when it ended before: then there was nothing to be beside of. */
async function whileTraining(address: string, work: () => Promise<void>): Promise<void> {
  const { id } = await post(`${address}/jobs/train`, { epochs: 50 });
  const job = () => getJson<TrainJob>(`${address}/jobs/${id}`);
  try {
    await until(async () => (await job()).progress !== null, 'the job to make progress', 60_000);
    await work();
    const { status } = await job();
    if (status !== 'running') throw new Error(`expected the job to train all the while, it is ${status}`);
  } finally {
    await post(`${address}/jobs/${id}/cancel`, {});
  }
  await until(async () => (await job()).finishedAt !== null, 'the job to be cancelled', 30_000);
}

async function post(url: string, body: object): Promise<TrainJob> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as TrainJob;
}

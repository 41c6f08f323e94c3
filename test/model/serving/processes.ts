/** The predictor process of this test process, and a predictor that serves. */
import { readFile } from 'node:fs/promises';
import { childrenOf } from '../../../harness/processes.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import { type Predictor, startPredictor } from '../../../src/model/serving/predictor.ts';
import { openStore } from '../../../src/model/store/store.ts';
import { provenance } from '../store/provenance.ts';

/** Serves an untrained model; `ends` gathers how its processes ended. */
export async function startServing(dataDir: string): Promise<{ predictor: Predictor; ends: string[] }> {
  await openStore(dataDir).publish(
    buildNetwork('article', 10),
    initialWeights(buildNetwork('article', 10), 1),
    provenance,
  );
  const ends: string[] = [];
  return new Promise((resolve) => {
    const predictor = startPredictor(
      { dataDir, engine: 'auto' },
      {
        onMessage: ({ type }) => type === 'model' && resolve({ predictor, ends }),
        onExit: (how) => ends.push(how),
      },
    );
  });
}

/** The one child of a process that is a predictor. */
export function predictorPid(parentPid = process.pid): number | null {
  return childrenOf(parentPid).find(({ command }) => command.includes('predictor-process'))?.pid ?? null;
}

/** Reads the memory of a process, as Linux counts it, in MB; `VmHWM` is the peak. */
export async function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}

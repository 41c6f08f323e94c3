/** Trainyard as the bench measures it: `npm start`, and what Linux and its event loop say of it meanwhile. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getJson, type Service, startService, until } from '../../harness/service.ts';
import { atEnd, interrupted } from '../lib/ending.ts';
import { descendants, type Memory, memoryOf } from '../lib/processes.ts';
import { during } from '../lib/progress.ts';

const modelWithinMs = 10 * 60_000;
const endWithinMs = 15_000;

/** Where a service keeps its models, and where the delays of its event loop are noted. */
export type Place = { readonly dataDir: string; readonly delaysDir: string };
/** From when to when something was measured, ms since 1970. */
export type Span = { readonly from: number; readonly to: number };
/** How long the event loop was late in each second under load: that second's p99, and the worst of them. */
export type LoopDelay = { readonly worstMs: number; readonly seconds: readonly number[] };

/** Resolves when a model is served; trains a first one if there is none. */
export async function startTrainyard(engine: string, { dataDir, delaysDir }: Place): Promise<Service> {
  const hook = new URL('../lib/event-loop-delay.mjs', import.meta.url).href;
  const env = { ENGINE: engine, NODE_OPTIONS: `--import ${hook}`, EVENT_LOOP_DELAY_DIR: delaysDir };
  const what = `starting Trainyard on ${engine}, which trains a first model if there is none`;
  const starting = startService(dataDir, env, undefined, interrupted);
  const end = atEnd(() => endWhenStarted(starting));
  const service = await during(what, starting);
  await during(what, service.printed('Try it:', modelWithinMs));
  return {
    ...service,
    end: async () => {
      await end();
      return null;
    },
  };
}

/** One that is interrupted while it starts fails to; that is waited for, since it writes until it has ended. */
async function endWhenStarted(starting: Promise<Service>): Promise<void> {
  const service = await starting.catch(() => null);
  if (service === null) return;
  const late = setTimeout(() => void service.end('SIGKILL'), endWithinMs);
  await service.end();
  clearTimeout(late);
}

/** Waits for the end of the trainer of the first model. */
export async function trainerEnded({ pid }: Service): Promise<void> {
  const noTrainer = async () => (await descendants(pid, 'trainer-process')).length === 0;
  await during('waiting for the trainer to end', until(noTrainer, 'the trainer to end', 60_000));
}

/** Measures the memory of the API and the predictor: no other process is needed to answer POST /predict. */
export async function restingMemory(service: Service): Promise<Memory> {
  await trainerEnded(service); // one that maps the same libraries would take its share of them from the PSS
  const { pid } = service;
  const api = await descendants(pid, 'dist/server.js');
  const predictor = await descendants(pid, 'predictor-process');
  if (api.length !== 1 || predictor.length !== 1)
    throw new Error('expected one API process and one predictor');
  return memoryOf([...api, ...predictor]);
}

export async function newestWeights({ address }: Service, { dataDir }: Place): Promise<string> {
  const { data } = await getJson<{ data: { version: number }[] }>(`${address}/models`);
  return join(dataDir, 'models', String(Math.max(...data.map(({ version }) => version))), 'weights.bin');
}

/** What the API's event loop was late by in these spans. */
export async function loopDelayUnder(
  spans: readonly Span[],
  { delaysDir }: Pick<Place, 'delaysDir'>,
): Promise<LoopDelay> {
  const lines = (await readFile(join(delaysDir, 'server.js'), 'utf8')).trim().split('\n');
  const noted = lines.map((line) => JSON.parse(line) as { at: number; p99Ms: number });
  const isUnder = (at: number) => spans.some(({ from, to }) => at - 1000 >= from && at <= to);
  const seconds = noted.filter(({ at }) => isUnder(at)).map(({ p99Ms }) => p99Ms);
  return { worstMs: seconds.length === 0 ? Number.NaN : Math.max(...seconds), seconds };
}

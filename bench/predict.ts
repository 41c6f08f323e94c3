/**
 * `npm run bench:predict`: POST /predict beside FastAPI with Pillow and PyTorch, in turns on the same machine, with
 * the same weights and pictures; then beside a training job, the event loop's delay, and memory at rest.
 * Options: --rounds 3, --seconds 6 (a measurement), --data-dir (one with a model; else one is trained), --json.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { getJson, type Service, startService } from '../test/e2e/service.ts';
import { expectSameAnswers } from './lib/answers.ts';
import { type FastApi, type Setting, settings, startFastApi } from './lib/fastapi.ts';
import { measure, tsProgram } from './lib/measure.ts';
import { installPeers } from './lib/peers.ts';
import { writePictures } from './lib/pictures.ts';
import { descendants, type Memory, memoryOf } from './lib/processes.ts';
import { describeMachine, formatTable, formatVerdicts, type Verdict } from './lib/report.ts';
import { median, spread } from './lib/statistics.ts';

type Load = { readonly perSecond: number; readonly p50: number; readonly p95: number; readonly p99: number };
type Scenario = {
  readonly name: string;
  readonly connections: number;
  readonly pictures: 'small' | 'canvas';
};
type Loads = { readonly scenario: Scenario; readonly ours: Load[]; readonly theirs: Load[] };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    'data-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const scenarios: readonly Scenario[] = [
  { name: '28×28, 16 connections', connections: 16, pictures: 'small' },
  { name: '280×280, 16 connections', connections: 16, pictures: 'canvas' },
  { name: '28×28, 1 connection', connections: 1, pictures: 'small' },
];

const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
const dataDir = values['data-dir'] ?? join(directory, 'data');
const delays = join(directory, 'delays');
await mkdir(delays);
try {
  await main();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const peers = await installPeers();
  if (!peers.ok) console.log(`FastAPI and PyTorch are absent: ${peers.reason}`);
  const pictures = await writePictures(directory);
  const load = (url: string, { connections, pictures: kind }: Scenario, seconds = values.seconds) =>
    measure<Load>(tsProgram('load.ts', [`${url}/predict`, String(connections), seconds, pictures[kind]]));
  const service = await startOurs('tensorflow');
  try {
    const resting = await restingMemory(service);
    let peer: { server: FastApi; setting: Setting } | null = null;
    if (peers.ok)
      peer = await startPeerAtItsBest(peers.python, await weightsOf(service), (url) =>
        load(url, scenarios[0]!, '3'),
      );
    try {
      if (peer) await expectSameAnswers(service.address, peer.server.url, pictures);
      const loads = await measureInTurns(service, peer?.server ?? null, load);
      const training = await besideTraining(service, load);
      const loopDelayMs = await worstLoopDelay();
      await service.end();
      report({
        loads,
        setting: peer?.setting ?? null,
        training,
        loopDelayMs,
        memory: [resting, await memoryOnWasm()],
      });
    } finally {
      await peer?.server.end();
    }
  } finally {
    await service.end();
  }
}

type LoadOf = (url: string, scenario: Scenario, seconds?: string) => Promise<Load>;

async function startOurs(engine: string): Promise<Service> {
  console.log(`starting Trainyard on ${engine}, which trains a first model if there is none`);
  const hook = new URL('lib/event-loop-delay.mjs', import.meta.url).href;
  const env = { ENGINE: engine, NODE_OPTIONS: `--import ${hook}`, EVENT_LOOP_DELAY_DIR: delays };
  const service = await startService(dataDir, env);
  await service.printed('Try it:', 10 * 60_000);
  return service;
}

/** Of the API and the predictor, which are all that it takes to answer POST /predict. */
async function restingMemory(service: Service): Promise<Memory> {
  const [api, predictor] = [
    await descendants(service.pid, 'dist/server.js'),
    await descendants(service.pid, 'predictor-process'),
  ];
  if (api.length !== 1 || predictor.length !== 1)
    throw new Error('expected one API process and one predictor');
  return memoryOf([...api, ...predictor]);
}

async function memoryOnWasm(): Promise<Memory> {
  const service = await startOurs('wasm');
  try {
    return await restingMemory(service);
  } finally {
    await service.end();
  }
}

async function weightsOf(service: Service): Promise<string> {
  const { data } = await getJson<{ data: { version: number }[] }>(`${service.address}/models`);
  return join(dataDir, 'models', String(Math.max(...data.map(({ version }) => version))), 'weights.bin');
}

async function startPeerAtItsBest(python: string, weights: string, load: (url: string) => Promise<Load>) {
  let best: { setting: Setting; perSecond: number } | null = null;
  for (const setting of settings) {
    const server = await startFastApi(python, weights, setting);
    const { perSecond } = await load(server.url);
    await server.end();
    console.log(`FastAPI, ${inWords(setting)}: ${perSecond.toFixed(0)} answers/s`);
    if (best === null || perSecond > best.perSecond) best = { setting, perSecond };
  }
  return { setting: best!.setting, server: await startFastApi(python, weights, best!.setting) };
}

async function measureInTurns(service: Service, peer: FastApi | null, load: LoadOf): Promise<Loads[]> {
  const loads: Loads[] = scenarios.map((scenario) => ({ scenario, ours: [], theirs: [] }));
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const { scenario, ours, theirs } of loads) {
      ours.push(await load(service.address, scenario));
      if (peer) theirs.push(await load(peer.url, scenario));
      const both = [ours, theirs].map((list) => list.at(-1)?.perSecond.toFixed(0) ?? 'absent');
      console.log(`round ${round}: ${scenario.name}: ${both.join(' and ')} answers/s`);
    }
  }
  return loads;
}

/** The p99 of 16 connections while a job trains, and of as many just before. */
async function besideTraining(service: Service, load: LoadOf): Promise<{ idle: Load; busy: Load }> {
  const idle = await load(service.address, scenarios[0]!);
  const post = (path: string, body: object) =>
    fetch(`${service.address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { id } = (await (await post('/jobs/train', { epochs: 9 })).json()) as { id: string };
  const progress = async () =>
    (await getJson<{ progress: object | null }>(`${service.address}/jobs/${id}`)).progress;
  while ((await progress()) === null) await new Promise((resolve) => setTimeout(resolve, 100));
  const busy = await load(service.address, scenarios[0]!);
  await post(`/jobs/${id}/cancel`, {});
  console.log(`beside a training job: p99 ${busy.p99.toFixed(1)} ms, idle ${idle.p99.toFixed(1)} ms`);
  return { idle, busy };
}

/** The p99 of the worst second that the API process has had. */
async function worstLoopDelay(): Promise<number> {
  const lines = (await readFile(join(delays, 'server.js'), 'utf8')).trim().split('\n');
  return Math.max(...lines.slice(3).map((line) => (JSON.parse(line) as { p99Ms: number }).p99Ms)); // without its start
}

type Results = {
  readonly loads: readonly Loads[];
  readonly setting: Setting | null;
  readonly training: { idle: Load; busy: Load };
  readonly loopDelayMs: number;
  readonly memory: readonly [tensorflow: Memory, wasm: Memory];
};

function report(results: Results): void {
  const { loads, setting, memory } = results;
  const rows = loads.flatMap(({ scenario, ours, theirs }) => [
    rowOf(`Trainyard, ${scenario.name}`, ours),
    ...(setting ? [rowOf(`FastAPI, ${scenario.name}`, theirs)] : []),
  ]);
  console.log(`\n${formatTable([['', 'answers/s', 'spread', 'p50 ms', 'p99 ms'], ...rows])}\n`);
  if (setting) console.log(`FastAPI at its best: ${inWords(setting)}`);
  else console.log('FastAPI and PyTorch are absent: nothing to compare with');
  for (const [index, { rssMegabytes, pssMegabytes }] of memory.entries()) {
    const engine = ['tensorflow', 'wasm'][index]!;
    console.log(
      `memory at rest, ${engine}: ${pssMegabytes.toFixed(0)} MB (RSS ${rssMegabytes.toFixed(0)} MB)`,
    );
  }
  const verdicts = [...(setting ? compare(loads) : []), ...ownVerdicts(results)];
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(JSON.stringify({ machine: describeMachine(), ...results, verdicts }));
}

function compare(loads: readonly Loads[]): Verdict[] {
  const ratio = (of: Loads, figure: keyof Load) => middle(of.ours, figure) / middle(of.theirs, figure);
  const [small, canvas, single] = loads as [Loads, Loads, Loads];
  return [
    {
      what: `${small.scenario.name}: answers/s ÷ FastAPI`,
      value: ratio(small, 'perSecond'),
      bar: 2,
      better: 'more',
    },
    { what: `${small.scenario.name}: p99 ÷ FastAPI`, value: ratio(small, 'p99'), bar: 1, better: 'less' },
    {
      what: `${canvas.scenario.name}: answers/s ÷ FastAPI`,
      value: ratio(canvas, 'perSecond'),
      bar: 1.7,
      better: 'more',
    },
    { what: `${canvas.scenario.name}: p99 ÷ FastAPI`, value: ratio(canvas, 'p99'), bar: 1, better: 'less' },
    { what: `${single.scenario.name}: p50 ÷ FastAPI`, value: ratio(single, 'p50'), bar: 1, better: 'less' },
  ];
}

function ownVerdicts({ training, loopDelayMs, memory }: Results): Verdict[] {
  return [
    {
      what: 'p99 beside a training job ÷ idle',
      value: training.busy.p99 / training.idle.p99,
      bar: 3,
      better: 'less',
    },
    {
      what: 'event loop of the API, p99 of its worst second',
      value: loopDelayMs,
      bar: 20,
      better: 'less',
      unit: ' ms',
    },
    {
      what: 'memory at rest, tensorflow',
      value: memory[0].pssMegabytes,
      bar: 600,
      better: 'less',
      unit: ' MB',
    },
    { what: 'memory at rest, wasm', value: memory[1].pssMegabytes, bar: 250, better: 'less', unit: ' MB' },
  ];
}

function middle(loads: readonly Load[], figure: keyof Load): number {
  return median(loads.map((load) => load[figure]));
}

function rowOf(name: string, loads: readonly Load[]): string[] {
  const rates = loads.map(({ perSecond }) => perSecond);
  const [p50, p99] = [middle(loads, 'p50'), middle(loads, 'p99')];
  return [name, median(rates).toFixed(0), spread(rates, 0), p50.toFixed(2), p99.toFixed(2)];
}

function inWords({ workers, threads }: Setting): string {
  return `${workers} worker${workers > 1 ? 's' : ''}, ${threads} thread${threads > 1 ? 's' : ''} each`;
}

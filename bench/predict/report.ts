/** What bench:predict prints at its end, and what it holds against which bar. */
import { type Setting, settingInWords } from '../lib/fastapi.ts';
import type { Memory } from '../lib/processes.ts';
import { formatTable, formatVerdicts, type Verdict } from '../lib/report.ts';
import { median, spread } from '../lib/statistics.ts';
import type { BesideTraining } from './beside-training.ts';
import { canvas, type Load, type Scenario, single, small } from './load.ts';
import type { LoopDelay } from './service.ts';

export type Contest = {
  readonly scenario: Scenario;
  readonly setting: Setting | null; // the peer's; null: it is absent
  readonly ours: Load[];
  readonly theirs: Load[];
};

export type Results = {
  readonly contests: readonly Contest[];
  readonly training: readonly BesideTraining[];
  readonly loopDelay: LoopDelay;
  readonly memory: { readonly tensorflow: Memory; readonly wasm: Memory };
};

export function verdictsOf(results: Results): Verdict[] {
  return [...results.contests.flatMap(compare), ...ownVerdicts(results)];
}

export function printResults(results: Results): void {
  const { contests, training, loopDelay, memory } = results;
  const rows = contests.flatMap(({ scenario, ours, theirs, setting }) => [
    rowOf(`Trainyard, ${scenario.name}`, ours),
    ...(setting ? [rowOf(`FastAPI, ${scenario.name}`, theirs)] : []),
  ]);
  for (const { scenario, idle, busy } of training) {
    rows.push(rowOf(`idle, ${scenario.name}`, idle));
    rows.push(rowOf(`beside training, ${scenario.name}`, busy));
  }
  const header = ['', 'answers/s', 'spread', 'p50 ms', 'p95 ms', 'p99 ms', 'spread of p99'];
  console.log(`\n${formatTable([header, ...rows])}\n`);
  for (const { scenario, setting } of contests)
    console.log(
      `FastAPI, ${scenario.name}: ${setting ? settingInWords(setting) : 'absent, nothing to compare'}`,
    );
  for (const [engine, { rssMegabytes, pssMegabytes }] of Object.entries(memory)) {
    const figures = `PSS ${pssMegabytes.toFixed(0)} MB, RSS ${rssMegabytes.toFixed(0)} MB`;
    console.log(`memory at rest, API and predictor, ${engine}: ${figures}`);
  }
  const middleSecond = median(loopDelay.seconds).toFixed(1);
  console.log(`event loop of the API under full load, p99 of a second: median ${middleSecond} ms`);
  console.log(`\n${formatVerdicts(verdictsOf(results))}`);
}

function compare({ scenario, setting, ours, theirs }: Contest): Verdict[] {
  if (setting === null) return [];
  const ratio = (figure: 'perSecond' | 'p50' | 'p99') => middle(ours, figure) / middle(theirs, figure);
  const { name } = scenario;
  if (scenario === single)
    return [{ what: `${name}: p50 ÷ FastAPI`, value: ratio('p50'), bar: 1, better: 'less' }];
  const bar = scenario === canvas ? 1.7 : 2;
  return [
    { what: `${name}: answers/s ÷ FastAPI`, value: ratio('perSecond'), bar, better: 'more' },
    { what: `${name}: p99 ÷ FastAPI`, value: ratio('p99'), bar: 1, better: 'less' },
  ];
}

function ownVerdicts({ training, loopDelay, memory }: Results): Verdict[] {
  const beside = training.find(({ scenario }) => scenario === small)!;
  const slowdown = middle(beside.busy, 'p99') / middle(beside.idle, 'p99');
  const memoryVerdict = (engine: 'tensorflow' | 'wasm', bar: number): Verdict => {
    const value = memory[engine].pssMegabytes;
    return { what: `memory at rest (PSS), ${engine}`, value, bar, better: 'less', unit: ' MB' };
  };
  const { worstMs } = loopDelay;
  return [
    { what: `${small.name}: p99 beside training ÷ idle`, value: slowdown, bar: 3, better: 'less' },
    { what: 'API event loop, p99 of its worst second', value: worstMs, bar: 20, better: 'less', unit: ' ms' },
    memoryVerdict('tensorflow', 600),
    memoryVerdict('wasm', 250),
  ];
}

function middle(loads: readonly Load[], figure: 'perSecond' | 'p50' | 'p95' | 'p99'): number {
  return median(loads.map((load) => load[figure]));
}

function rowOf(name: string, loads: readonly Load[]): string[] {
  const latencies = (['p50', 'p95', 'p99'] as const).map((figure) => middle(loads, figure).toFixed(2));
  const rates = loads.map(({ perSecond }) => perSecond);
  const tails = loads.map(({ p99 }) => p99);
  return [name, middle(loads, 'perSecond').toFixed(0), spread(rates, 0), ...latencies, spread(tails, 2)];
}

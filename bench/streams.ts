/**
 * `npm run bench:streams`: 200 open event streams and 100 progress updates a second, on real Redis and a real API
 * process: its share of a core, and how far behind any reader ever was. Once with all streams on one job, which each
 * then brings all updates, and once with ten jobs of ten updates a second and twenty streams each.
 * Options: --seconds 20 (each), --json.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRedis } from '../src/launcher/embedded-redis.ts';
import { atEnd, runBench } from './lib/ending.ts';
import { measure, tsProgram } from './lib/measure.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { type Api, coreSecondsOf, startApi } from './streams/api.ts';
import type { Heard } from './streams/readers.ts';
import { openJobs, tellJobs } from './streams/writer.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const seconds = Number(values.seconds);
const streams = 200;
const updatesPerSecond = 100; // over all jobs

type Result = Heard & { readonly jobs: number; readonly coreShare: number };

await runBench(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const redis = await startRedis(directory);
  atEnd(() => redis.close());
  const api = await startApi(redis.url, directory);
  atEnd(() => api.end());
  const results = [await run(api, redis.url, 1), await run(api, redis.url, 10)];
  print(results);
  const verdicts = results.flatMap(verdictsOf);
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine(), seconds, results }, verdicts));
});

async function run(api: Api, redisUrl: string, jobs: number): Promise<Result> {
  const line = await openJobs(redisUrl, jobs);
  const urls = line.ids.map((id) => `${api.address}/jobs/${id}/events`);
  const reading = measure<Heard>(
    `${streams} streams, ${updatesPerSecond} updates a second on ${jobs} ${jobs === 1 ? 'job' : 'jobs'}`,
    tsProgram('streams/readers.ts', [String(streams), ...urls]),
  );
  await line.untilFollowed();
  const [before, startedAt] = [coreSecondsOf(api.pid), performance.now()];
  await tellJobs(line, updatesPerSecond, seconds);
  const coreShare = (coreSecondsOf(api.pid) - before) / ((performance.now() - startedAt) / 1000);
  await line.close();
  return { ...(await reading), jobs, coreShare };
}

function print(results: readonly Result[]): void {
  const rows = results.map(({ jobs, events, coreShare, medianMs, p99Ms, worstMs }) => [
    `${jobs} ${jobs === 1 ? 'job' : 'jobs'}`,
    Math.round(events / seconds).toLocaleString('en'),
    `${(100 * coreShare).toFixed(1)} %`,
    ...[medianMs, p99Ms, worstMs].map((ms) => `${ms} ms`),
  ]);
  const header = ['', 'events told a second', 'of a core', 'behind, median', 'p99', 'worst'];
  console.log(formatTable([header, ...rows]));
}

function verdictsOf({ jobs, coreShare, worstMs, lost }: Result): Verdict[] {
  const on = `${streams} streams on ${jobs} ${jobs === 1 ? 'job' : 'jobs'}`;
  return [
    { what: `${on}: share of a core`, value: 100 * coreShare, bar: 30, better: 'less', unit: ' %' },
    { what: `${on}: the furthest behind`, value: worstMs, bar: 250, better: 'less', unit: ' ms' },
    { what: `${on}: events that a stream lacks`, value: lost, bar: 0, better: 'less' },
  ];
}

/**
 * `npm run bench:registry`: what the registry promises, on the whole service. A job of six epochs beside a stream of
 * requests with known digits; a poor job with the gate and without it, and the way back; two clients that move an alias at
 * once; shared traffic; a champion beside a pinned client; and how often the gate refuses equally good versions.
 * Options: --only stream,gate,race,traffic,pin,pairs (all), --json. Takes about 25 minutes on two cores,
 * of which `pairs` takes 20: it trains 40 networks at about half a minute each, and `--only` can leave it out.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startService, trainToEnd } from '../harness/service.ts';
import { answerOf, createClient, type TrainyardClient } from '../src/client/index.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';
import { during } from './lib/progress.ts';
import { describeMachine, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { median, percentile } from './lib/statistics.ts';
import { countRefused } from './registry/equal-pairs.ts';
import { lowestAccuracy, type Picture, readPictures, sendPictures } from './registry/stream.ts';

const stages = ['stream', 'gate', 'race', 'traffic', 'pin', 'pairs'] as const;
const { values } = parseArgs({
  options: { only: { type: 'string', default: stages.join(',') }, json: { type: 'boolean', default: false } },
});
const wanted = values.only.split(',');
const trainWithinMs = 20 * 60_000;

type Place = {
  readonly address: string;
  readonly client: TrainyardClient;
  readonly pictures: readonly Picture[];
  readonly champion: () => Promise<number>;
};

const run: Record<(typeof stages)[number], (place: Place) => Promise<Verdict[]>> = {
  stream: besideTraining,
  gate: poorJob,
  race: twoClients,
  traffic: sharedTraffic,
  pin: pinnedClient,
  pairs: async () => [
    { what: 'of 20 pairs of equal models, refused', value: await countRefused(20), bar: 1, better: 'less' },
  ],
};

await runBench(async () => {
  const place = wanted.some((stage) => stage !== 'pairs') ? await open() : ({} as Place);
  const verdicts: Verdict[] = [];
  for (const stage of stages.filter((name) => wanted.includes(name)))
    verdicts.push(...(await run[stage](place)));
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine() }, verdicts));
});

/** The service with a champion by the default recipe. */
async function open(): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }));
  const service = await startService(dataDir, { FIRST_MODEL: 'false' }, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  const { address } = service;
  const client = createClient({ baseUrl: address });
  const champion = async () => {
    const { aliases } = await answerOf(
      client.GET('/registry/{model}', { params: { path: { model: 'mnist' } } }),
    );
    return aliases['champion']!.version;
  };
  await during('training a champion', trainToEnd(address, {}, trainWithinMs));
  return { address, client, champion, pictures: await during('drawing 10,000 pictures', readPictures()) };
}

async function besideTraining({ address, client, pictures, champion }: Place): Promise<Verdict[]> {
  const before = await champion();
  const params = { path: { version: before } };
  const { testAccuracy } = (await answerOf(client.GET('/models/{version}', { params }))).metrics;
  const ended = new AbortController();
  const request = { recipe: 'accurate', epochs: 6, trainImages: 20_000 };
  const training = trainToEnd(address, request, trainWithinMs).finally(() => ended.abort());
  const stream = sendPictures(address, pictures, { until: ended.signal });
  const [job, beside] = await during('a job of six epochs beside a stream', Promise.all([training, stream]));
  const after = await during('the champion that it leaves', sendPictures(address, pictures));
  const lowest = lowestAccuracy(beside.answers, pictures.length);
  for (const { modelVersion, promotion } of job.epochs)
    console.log(`version ${modelVersion}: ${promotion?.decision}, ${promotion?.reason}`);
  const counts = [...beside.byVersion].map(([version, count]) => `${version}: ${count}`).join(', ');
  console.log(`${beside.answers.length} answers beside the job, by version: ${counts}`);
  console.log(`lowest accuracy of 10,000 in a row across a change: ${(100 * lowest.mixed).toFixed(2)} %`);
  // The gate may leave a champion that is no worse by its test, and yet reads a few images fewer: so this has no bar.
  const right = after.answers.filter(({ isRight }) => isRight).length / after.answers.length;
  console.log(`accuracy of the champion that the job leaves: ${(100 * right).toFixed(2)} %`);
  const failed = beside.failed + after.failed;
  return [
    {
      what: 'beside the job: lowest accuracy of 10,000 requests in a row that one version answers',
      value: 100 * lowest.byOne,
      bar: 100 * testAccuracy,
      better: 'more',
      unit: ' %',
    },
    { what: 'failed requests beside the job', value: failed, bar: 0, better: 'less' },
  ];
}

/** A poor job with the gate, then without it, then the way back. */
async function poorJob({ address, client, pictures, champion }: Place): Promise<Verdict[]> {
  const before = await champion();
  const poor = { recipe: 'fast', trainImages: 2000, seed: 3 };
  const kept = await during('a poor job', trainToEnd(address, poor, trainWithinMs));
  const after = await champion();
  console.log(`version ${kept.modelVersion} is ${kept.promotion?.decision}: ${kept.promotion?.reason}`);
  await during(
    'a poor job that is promoted',
    trainToEnd(address, { ...poor, promote: 'always' }, trainWithinMs),
  );
  const changed = await champion();
  const ended = new AbortController();
  const stream = sendPictures(address, pictures, { atLeast: 2000, until: ended.signal });
  const startedAt = performance.now();
  await answerOf(
    client.POST('/registry/{model}/rollback', {
      params: { path: { model: 'mnist' } },
      body: { reason: 'a bench' },
    }),
  );
  const { byVersion } = await sendPictures(address, pictures, { connections: 1, atLeast: 1 });
  const ms = performance.now() - startedAt;
  ended.abort();
  const { failed } = await stream;
  return [
    { what: 'poor job: champions that it replaced', value: Number(after !== before), bar: 0, better: 'less' },
    {
      what: 'promoted poor job: champions that it replaced',
      value: Number(changed !== before),
      bar: 1,
      better: 'more',
    },
    {
      what: 'rollback: the first answer by the version before, after',
      value: byVersion.has(before) ? ms : Number.NaN,
      bar: 500,
      better: 'less',
      unit: ' ms',
    },
    { what: 'rollback: failed requests of 2,000 meanwhile', value: failed, bar: 0, better: 'less' },
  ];
}

/** A thousand times, two clients move an alias with the same If-Match. */
async function twoClients({ client, champion }: Place): Promise<Verdict[]> {
  const version = await champion();
  const path = { model: 'mnist', alias: 'race' };
  const times = 1000;
  let wrong = 0;
  const numbers = new Set<number>();
  const race = async () => {
    for (let time = 0; time < times; time++) {
      const { response } = await client.GET('/registry/{model}', { params: { path } });
      const header = { 'if-match': response.headers.get('etag')! };
      const move = () =>
        client.PUT('/registry/{model}/aliases/{alias}', {
          params: { path, header },
          body: { version, reason: String(time) },
        });
      const both = await Promise.all([move(), move()]);
      const statuses = both.map((one) => one.response.status).toSorted((a, b) => a - b);
      if (statuses.join() !== '200,412') wrong++;
      for (const { data } of both) if (data) numbers.add(data.revision);
    }
  };
  await during('1,000 races for an alias', race());
  const { data } = await answerOf(
    client.GET('/registry/{model}/history', { params: { path, query: { limit: 1000 } } }),
  );
  const told = new Set(data.filter(({ alias }) => alias === 'race').map(({ number }) => number));
  const lost = [...numbers].slice(-data.length + 100).filter((number) => !told.has(number)).length;
  return [
    { what: 'races without exactly one winner', value: wrong, bar: 0, better: 'less' },
    { what: 'winners in the history that are not there once', value: lost, bar: 0, better: 'less' },
  ];
}

async function sharedTraffic({ address, client, pictures, champion }: Place): Promise<Verdict[]> {
  const version = await champion();
  const challenger = { path: { model: 'mnist', alias: 'challenger' } };
  const params = { path: { model: 'mnist' } };
  await answerOf(
    client.PUT('/registry/{model}/aliases/{alias}', { params: challenger, body: { version, reason: '' } }),
  );
  await answerOf(client.PUT('/registry/{model}/traffic', { params, body: { champion: 50, challenger: 50 } }));
  const { byAlias, answers } = await during(
    '10,000 requests, half and half',
    sendPictures(address, pictures),
  );
  await answerOf(client.PUT('/registry/{model}/traffic', { params, body: { champion: 100 } }));
  const off = Math.abs((100 * (byAlias.get('challenger') ?? 0)) / answers.length - 50);
  return [{ what: 'half and half: points off', value: off, bar: 2, better: 'less' }];
}

/** The champion's p99 with a client beside it that pins another version, against alone; alternating rounds. */
async function pinnedClient({ address, client, pictures, champion }: Place): Promise<Verdict[]> {
  const version = await champion();
  const { data } = await answerOf(client.GET('/models', { params: { query: { model: 'mnist' } } }));
  const other = data.find((model) => model.version !== version)?.version ?? version;
  const ratios: number[] = [];
  const round = async () =>
    percentile((await sendPictures(address, pictures, { connections: 8 })).latencies, 0.99);
  for (let count = 1; count <= 5; count++) {
    const alone = await during(`round ${count}: the champion alone`, round());
    const ended = new AbortController();
    const pinned = sendPictures(address, pictures, {
      connections: 1,
      query: `?version=${other}`,
      atLeast: 1,
      until: ended.signal,
    });
    const beside = await during(`round ${count}: beside a pinned client`, round());
    ended.abort();
    const { latencies } = await pinned;
    ratios.push(beside / alone);
    console.log(
      `p99 alone ${alone.toFixed(1)} ms, beside ${beside.toFixed(1)} ms; ${latencies.length} pinned answers, their median ${median(latencies).toFixed(1)} ms`,
    );
  }
  return [
    {
      what: 'p99 of the champion beside a pinned client, of alone',
      value: median(ratios),
      bar: 1.2,
      better: 'less',
      unit: ' ×',
    },
  ];
}

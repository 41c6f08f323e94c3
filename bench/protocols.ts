/**
 * `npm run bench:protocols`: the same 64 images in one binary request of the Open Inference Protocol, and as PNGs through
 * POST /predict, by one client that waits for each answer and by 16 at a time. The network is untrained. They take turns, so
 * that a busy machine slows all of them. Memory under malformed requests is measured by test/faults/malformed-protocols.test.ts.
 * Options: --seconds 4 (each turn), --turns 3, --engine auto, --json.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { Client } from 'undici';
import { startService, until } from '../harness/service.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { imageAt, imageSide, imageSize } from '../src/model/data/dataset.ts';
import { buildNetwork, initialWeights } from '../src/model/network/network.ts';
import { openStore } from '../src/model/store/store.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';
import { during } from './lib/progress.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { median } from './lib/statistics.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    turns: { type: 'string', default: '3' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
});
const images = 64;
const bar = 5; // times as many images a second

type Way = {
  readonly name: string;
  readonly clients: number;
  readonly send: (client: Client) => Promise<string[]>;
};

const split = await readSplit('mnist', 'test');
const raw = { width: imageSide, height: imageSide, channels: 1 } as const;
const pictures = await Promise.all(
  Array.from({ length: images }, (_, i) =>
    sharp(imageAt(split, i), { raw }).toColourspace('b-w').png().toBuffer(),
  ),
);
const tensor = v2Request();
const ways: readonly Way[] = [
  { name: 'V2, 64 images FP32 in one request', clients: 1, send: sendTensor },
  { name: 'the same, two clients', clients: 2, send: sendTensor },
  { name: '/predict, PNGs one after the other', clients: 1, send: sendPictures },
  { name: '/predict, PNGs, 16 clients', clients: 16, send: sendPictures },
];

await runBench(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  await publishUntrained(directory);
  const env = { ENGINE: values.engine, FIRST_MODEL: 'false' };
  const service = await startService(directory, env, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  const ready = async () => (await fetch(`${service.address}/v2/health/ready`)).ok;
  await during('starting', until(ready, 'the model to be served', 60_000));
  await expectSameLabels(service.address);
  const rates = ways.map((): number[] => []);
  for (let turn = 0; turn < Number(values.turns); turn++)
    for (const [i, way] of ways.entries())
      rates[i]!.push(await during(way.name, imagesPerSecond(service.address, way)));
  const results = ways.map(({ name }, i) => ({ name, perSecond: median(rates[i]!), rates: rates[i]! }));
  const rows = results.map(({ name, perSecond }) => [name, Math.round(perSecond).toLocaleString('en')]);
  console.log(formatTable([['', 'images/s'], ...rows]));
  const [v2, v2Twice, png, pngs] = results.map(({ perSecond }) => perSecond) as [
    number,
    number,
    number,
    number,
  ];
  const times = { bar, better: 'more', unit: ' ×' } as const;
  const verdicts: Verdict[] = [
    { what: 'one V2 request against PNGs, one client each', value: v2 / png, ...times },
    { what: 'against PNGs of 16 clients', value: Math.max(v2, v2Twice) / pngs, ...times },
  ];
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine(), results }, verdicts));
});

/** How long a network takes does not depend on what it has learnt. */
async function publishUntrained(dataDir: string): Promise<void> {
  const network = buildNetwork('article', 10);
  const work = {
    recipe: 'default',
    epoch: 1,
    epochs: 1,
    seed: 1,
    request: {},
    dataset: { name: 'mnist', sha256: {} },
  };
  await openStore(dataDir).publish(network, initialWeights(network, 1), {
    ...work,
    jobId: 'job-1',
    engine: { name: 'wasm', device: 'CPU', gpu: false },
    gitCommit: null,
    metrics: { trainLoss: 2.3, testLoss: 2.3, testAccuracy: 0.1 },
  });
}

/** Counts the images of whole rounds of 64, after one that does not count. */
async function imagesPerSecond(address: string, { clients, send }: Way): Promise<number> {
  const seconds = Number(values.seconds);
  const rounds = await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client(address);
      await send(client);
      const startedAt = performance.now();
      let count = 0;
      while (performance.now() - startedAt < 1000 * seconds) {
        await send(client);
        count++;
      }
      const perSecond = (1000 * count * images) / (performance.now() - startedAt);
      await client.close();
      return perSecond;
    }),
  );
  return rounds.reduce((sum, perSecond) => sum + perSecond, 0);
}

async function expectSameLabels(address: string): Promise<void> {
  const client = new Client(address);
  const [ours, theirs] = [await sendTensor(client), await sendPictures(client)];
  await client.close();
  if (ours.join() !== theirs.join())
    throw new Error(`expected the same labels, got ${ours.join()} and ${theirs.join()}`);
}

/** As tritonclient sends it: JSON, then little-endian floats. */
function v2Request() {
  const data = Buffer.from(
    Float32Array.from(split.images.subarray(0, images * imageSize), (grey) => grey / 255).buffer,
  );
  const shape = [images, imageSide, imageSide, 1];
  const parameters = { binary_data_size: data.length };
  const inputs = [{ name: 'image', datatype: 'FP32', shape, parameters }];
  const outputs = [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: true } }];
  const json = Buffer.from(JSON.stringify({ inputs, outputs }));
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, data]),
  };
}

async function sendTensor(client: Client): Promise<string[]> {
  const path = '/v2/models/mnist/infer';
  const { statusCode, headers, body } = await client.request({ path, method: 'POST', ...tensor });
  const bytes = Buffer.from(await body.arrayBuffer());
  if (statusCode !== 200) throw new Error(`expected 200, got ${statusCode}: ${bytes.toString()}`);
  const json = bytes.toString('utf8', 0, Number(headers['inference-header-content-length']));
  return (JSON.parse(json) as { outputs: [{ data: string[] }] }).outputs[0].data;
}

async function sendPictures(client: Client): Promise<string[]> {
  const labels: string[] = [];
  for (const body of pictures) {
    const headers = { 'content-type': 'image/png' };
    const answer = await client.request({ path: '/predict', method: 'POST', headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`expected 200, got ${answer.statusCode}: ${text}`);
    labels.push((JSON.parse(text) as { label: string }).label);
  }
  return labels;
}

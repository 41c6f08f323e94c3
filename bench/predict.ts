/**
 * `npm run bench:predict`: POST /predict beside FastAPI with Pillow and PyTorch, in turns on the same machine, with
 * the same weights and pictures; then beside a training job, the event loop's delay, and memory at rest.
 * Options: --rounds 3, --seconds 8 (a measurement, after 2 s of warm-up), --data-dir (one with a model; else one is
 * trained), --json.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { getJson, type Service } from '../harness/service.ts';
import { type Answers, expectSameAnswers } from './lib/answers.ts';
import { atEnd, runBench } from './lib/ending.ts';
import { installPeers } from './lib/peers.ts';
import { writePictures } from './lib/pictures.ts';
import { during } from './lib/progress.ts';
import { describeMachine, toJson } from './lib/report.ts';
import { besideTraining } from './predict/beside-training.ts';
import { canvas, type LoadOf, loader, single, small } from './predict/load.ts';
import { type Peer, startPeerAtItsBest } from './predict/peer.ts';
import { type Contest, printResults, type Results, verdictsOf } from './predict/report.ts';
import {
  loopDelayUnder,
  newestWeights,
  type Place,
  restingMemory,
  startTrainyard,
} from './predict/service.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    'data-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const scenarios = [small, canvas, single];

await runBench(async () => {
  const peers = await installPeers();
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const place = {
    dataDir: resolve(values['data-dir'] ?? join(directory, 'data')),
    delaysDir: join(directory, 'delays'),
  };
  await mkdir(place.delaysDir);
  const pictures = await during('drawing 2,000 pictures', writePictures(directory));
  const load = loader(pictures, Number(values.seconds));
  const service = await startTrainyard('tensorflow', place);
  const tensorflow = await restingMemory(service);
  const weights = await newestWeights(service, place);
  const peer = peers.ok ? await startPeerAtItsBest(peers.python, weights, scenarios, load) : null;
  const same = peer ? await compareAnswers(service, peer, pictures) : null;
  const measured = await measureAll(service, peer, load, place);
  const engine = await deviceOf(service);
  await service.end();
  const results: Results = { ...measured, memory: { tensorflow, wasm: await memoryOnWasm(place) } };
  printResults(results);
  const found = peers.ok ? { ok: true, versions: peers.versions, trials: peer!.trials } : peers;
  const verdicts = verdictsOf(results);
  const machine = { ...describeMachine(), engine };
  if (values.json) console.log(toJson({ machine, peers: found, same, ...results }, verdicts));
});

function compareAnswers(service: Service, peer: Peer, pictures: Parameters<typeof expectSameAnswers>[2]) {
  const work = expectSameAnswers(service.address, peer.serverFor(small).url, pictures);
  return during<Answers>('comparing the answers to 1,000 pictures', work);
}

async function measureAll(service: Service, peer: Peer | null, load: LoadOf, place: Place) {
  const contests = await measureInTurns(service, peer, load);
  const loopDelay = await loopDelayUnder(
    contests.flatMap(({ ours }) => ours),
    place,
  );
  return { contests, loopDelay, training: await besideTraining(service, load, rounds) };
}

async function measureInTurns(service: Service, peer: Peer | null, load: LoadOf): Promise<Contest[]> {
  const contests: Contest[] = scenarios.map((scenario) => {
    return { scenario, setting: peer?.settingFor(scenario) ?? null, ours: [], theirs: [] };
  });
  for (let round = 1; round <= rounds; round++) {
    for (const { scenario, ours, theirs } of contests) {
      const place = `round ${round} of ${rounds}`;
      ours.push(await load(`${place}, Trainyard`, service.address, scenario));
      if (peer) theirs.push(await load(`${place}, FastAPI`, peer.serverFor(scenario).url, scenario));
      const both = [ours, theirs].map((loads) => loads.at(-1)?.perSecond.toFixed(0) ?? 'absent');
      console.log(`${place}: ${scenario.name}: Trainyard ${both[0]}, FastAPI ${both[1]} answers/s`);
    }
  }
  return contests;
}

async function memoryOnWasm(place: Place) {
  const service = await startTrainyard('wasm', place);
  const memory = await restingMemory(service);
  await service.end();
  return memory;
}

/** What the served model was trained on, which is what serves it. */
async function deviceOf({ address }: Service): Promise<unknown> {
  const { data } = await getJson<{ data: { engine?: unknown }[] }>(`${address}/models`);
  return data[0]?.engine ?? null;
}

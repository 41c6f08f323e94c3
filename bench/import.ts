/**
 * `npm run bench:import`: how many pictures a second an archive of PNGs is imported with, and how much memory the process
 * takes; then, on the whole service, how long the API's event loop is held up and answers take beside such an import.
 * `--pictures 60000 --side 28`: their number, and their width and height in pixels. `--rounds 3 --seconds 8`: of answers
 * without an import and beside one. `--data-dir`: one with a model; else one is trained.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { greyPng } from '../harness/plain-png.ts';
import { makeZip } from '../harness/zip.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { imageAt, type Split } from '../src/model/data/dataset.ts';
import { type BesideImport, besideImport, verdictsBeside } from './import/beside-import.ts';
import type { Importing } from './import/importing.ts';
import { atEnd, runBench } from './lib/ending.ts';
import { measure, tsProgram } from './lib/measure.ts';
import { writePictures } from './lib/pictures.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { loader } from './predict/load.ts';
import { startTrainyard, trainerEnded } from './predict/service.ts';

const bars = { perSecond: 1500, megabytes: 512 };
const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '60000' },
    side: { type: 'string', default: '28' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    'data-dir': { type: 'string' },
  },
});
const [count, side] = [Number(values.pictures), Number(values.side)];

await runBench(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trainyard-import-'));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const archive = join(folder, 'pictures.zip');
  await writeFile(archive, archiveOf(await readSplit('mnist', 'train')));
  const importing = await measure<Importing>('import', tsProgram('import/importing.ts', [archive, folder]));
  const { accepted, seconds, peak, form } = importing;
  const row = [`${count}`, `${side}×${side}`, form, `${accepted}`, `${seconds.toFixed(1)} s`];
  console.log(formatTable([['pictures', 'size', 'form', 'accepted', 'time'], row]));
  const beside = await onService(folder, archive);
  const verdicts: Verdict[] = [
    { what: 'pictures a second', value: count / seconds, bar: bars.perSecond, better: 'more' },
    { what: 'memory', value: peak ?? Number.NaN, bar: bars.megabytes, better: 'less', unit: ' MB' },
    ...verdictsBeside(beside),
  ];
  console.log(`\n${formatVerdicts(verdicts)}`);
  console.log(toJson({ machine: describeMachine(), count, side, ...importing, beside }, verdicts));
});

async function onService(folder: string, archive: string): Promise<BesideImport> {
  const dataDir = resolve(values['data-dir'] ?? join(folder, 'data'));
  const place = { dataDir, delaysDir: join(folder, 'delays') };
  await mkdir(place.delaysDir);
  const load = loader(await writePictures(folder), Number(values.seconds));
  const service = await startTrainyard('auto', place);
  await trainerEnded(service);
  const beside = await besideImport(service, archive, load, place, Number(values.rounds));
  await service.end();
  return beside;
}

function archiveOf(split: Split): Buffer {
  const entries = Array.from({ length: count }, (_, i) => ({
    name: `digits/${split.labels[i % split.count]!}/${i}.png`,
    data: greyPng(enlarged(imageAt(split, i % split.count), Math.floor(i / split.count)), side, side),
  }));
  return makeZip(entries);
}

/** Nearest neighbours; `change` makes another picture of the same digit. */
function enlarged(digit: Uint8Array, change: number): Uint8Array {
  const greys = new Uint8Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      greys[y * side + x] = digit[Math.floor((y * 28) / side) * 28 + Math.floor((x * 28) / side)]!;
  greys[0] = change;
  return greys;
}

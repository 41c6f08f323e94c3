/**
 * `npm run bench:exports`: a trained version as ONNX, safetensors and a zip for tfjs, each read by the programs that it is for
 * (onnx, ONNX Runtime, ONNX Runtime Web, PyTorch, stock tfjs), on the first 1,000 MNIST test images; the Python programs of
 * docs/exports.md; and what an export of the largest network costs the thread of the API that answers everybody. Trains a
 * version of the network `article` first, which takes some minutes; --data-dir DIR takes the newest one of a data directory
 * instead. --json.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { startService, trainToEnd } from '../harness/service.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { imageSide, imageSize } from '../src/model/data/dataset.ts';
import { openEngine } from '../src/model/engines/open-engine.ts';
import { type ExportFormat, exportVersion } from '../src/model/export/export-version.ts';
import { answerFrom } from '../src/model/serving/answer.ts';
import { infer, loadModel } from '../src/model/serving/loaded-model.ts';
import { openStore, type StoredModel } from '../src/model/store/store.ts';
import { indexOfMaximum } from '../src/model/training/softmax.ts';
import { timeBesideExports } from './exports/beside-exports.ts';
import { runDocumented, stroke } from './exports/documented.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';
import { measure, tsProgram } from './lib/measure.ts';
import { installPeers, peerProgram } from './lib/peers.ts';
import { during } from './lib/progress.ts';
import { describeMachine, formatVerdicts, toJson, type Verdict } from './lib/report.ts';

const { values } = parseArgs({
  options: { 'data-dir': { type: 'string' }, json: { type: 'boolean', default: false } },
});
const imageCount = 1000;
const trainWithinMs = 20 * 60_000;

await runBench(async () => {
  const directory = await temporaryDirectory();
  const model = await newestModel(values['data-dir'] ?? (await train()));
  const { manifest } = model;
  console.log(`version ${manifest.version}, network ${manifest.network.name}, recipe ${manifest.recipe}`);
  const { images, reference } = await compute(model);
  await writeFile(join(directory, 'images.f32'), new Uint8Array(images.buffer));
  await write(model, 'onnx', join(directory, 'mnist-3.onnx')); // the name in docs/exports.md
  await write(model, 'safetensors', join(directory, 'mnist-3.safetensors'));
  await write(model, 'tfjs', join(directory, 'mnist-3.zip'));
  const verdicts = [
    ...compare('onnxruntime-web', await runWeb(directory, images), reference.probabilities, 1e-5),
    ...(await inPython(directory, reference)),
    ...(await inStockTfjs(directory, reference.probabilities)),
    ...(await timeBesideExports(await temporaryDirectory())),
  ];
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine() }, verdicts));
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Returns the data directory. */
async function train(): Promise<string> {
  const dataDir = await temporaryDirectory();
  const service = await startService(dataDir, { FIRST_MODEL: 'false' }, undefined, interrupted);
  const end = atEnd(async () => void (await service.end()));
  await during('training a version', trainToEnd(service.address, {}, trainWithinMs));
  await end();
  return dataDir;
}

async function newestModel(dataDir: string): Promise<StoredModel> {
  const store = openStore(dataDir);
  const [newest] = await store.versions();
  if (newest === undefined) throw new Error(`expected a model in ${dataDir}, got none`);
  return store.load(newest);
}

type Rows = readonly ArrayLike<number>[]; // one an image
type Reference = {
  readonly logits: Rows;
  readonly probabilities: Rows;
  readonly ofStroke: { readonly label: string; readonly probability: number };
};

/** The images in 0 … 1, and what Trainyard itself says of them. */
async function compute(stored: StoredModel): Promise<{ images: Float32Array; reference: Reference }> {
  const { images: all } = await readSplit('mnist', 'test');
  const greys = all.subarray(0, imageCount * imageSize);
  await openEngine('auto');
  const model = await loadModel(stored);
  const logits = rowsOf(infer(model, greys));
  const probabilities = logits.map((row) => answerFrom(row, model, []).probabilities);
  const { label, confidence: probability } = answerFrom(infer(model, stroke), model, []);
  const reference = { logits, probabilities, ofStroke: { label, probability } };
  return { images: Float32Array.from(greys, (grey) => grey / 255), reference };
}

function rowsOf(flat: Float32Array): Float32Array[] {
  const columns = flat.length / imageCount;
  return Array.from({ length: imageCount }, (_, i) => flat.subarray(i * columns, (i + 1) * columns));
}

async function write(model: StoredModel, format: ExportFormat, path: string): Promise<void> {
  const startedAt = performance.now();
  const { bytes } = await exportVersion(model, format);
  const milliseconds = (performance.now() - startedAt).toFixed(1);
  console.log(`${format}: ${(bytes.length / 1e6).toFixed(2)} MB, written in ${milliseconds} ms`);
  await writeFile(path, bytes);
}

async function runWeb(directory: string, images: Float32Array): Promise<Rows> {
  const session = await InferenceSession.create(
    new Uint8Array(await readFile(join(directory, 'mnist-3.onnx'))),
  );
  const feed = { images: new Tensor('float32', images, [imageCount, 1, imageSide, imageSide]) };
  const { probabilities } = await session.run(feed);
  return rowsOf(probabilities!.data as Float32Array);
}

async function inPython(
  directory: string,
  { logits, probabilities, ofStroke }: Reference,
): Promise<Verdict[]> {
  const peers = await installPeers();
  if (!peers.ok) return [];
  const program = peerProgram(peers.python, 'exports.py', [directory]);
  const { versions } = await measure<{ versions: object }>('the Python readers', program);
  console.log(`onnx.checker: full check passed; ${JSON.stringify(versions)}`);
  return [
    ...(await runDocumented(peers.python, directory, ofStroke)),
    ...compare('onnxruntime', await readRows(directory, 'onnxruntime.f32'), probabilities, 1e-5),
    ...compare('safetensors in PyTorch, logits', await readRows(directory, 'torch.f32'), logits, 1e-4),
  ];
}

async function inStockTfjs(directory: string, probabilities: Rows): Promise<Verdict[]> {
  await measure('stock tfjs', tsProgram('exports/stock-tfjs.ts', [directory]));
  return compare('stock tfjs', await readRows(directory, 'tfjs.f32'), probabilities, 1e-5);
}

async function readRows(directory: string, name: string): Promise<Rows> {
  return rowsOf(new Float32Array(new Uint8Array(await readFile(join(directory, name))).buffer));
}

function compare(what: string, got: Rows, expected: Rows, bar: number): Verdict[] {
  let [others, largest] = [0, 0];
  for (const [i, row] of expected.entries()) {
    const other = got[i]!;
    if (indexOfMaximum(row, 0, row.length) !== indexOfMaximum(other, 0, other.length)) others++;
    for (let j = 0; j < row.length; j++) largest = Math.max(largest, Math.abs(row[j]! - other[j]!));
  }
  return [
    { what: `${what}: other labels among ${imageCount} images`, value: others, bar: 0, better: 'less' },
    {
      what: `${what}: largest difference`,
      value: 1e6 * largest,
      bar: 1e6 * bar,
      better: 'less',
      unit: ' × 10⁻⁶',
    },
  ];
}

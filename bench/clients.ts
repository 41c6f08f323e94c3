/**
 * `npm run bench:clients`: clients that users of other servers have, unmodified, against Trainyard: Triton's own (tritonclient,
 * over HTTP and gRPC), and a stub that grpcio-tools generates from Trainyard's .proto files. They ask for health and metadata,
 * make mistakes, and send the first 200 MNIST test images in every form; the labels must be those of POST /predict for the same
 * images as PNGs. Trains a small version first; --data-dir DIR takes the newest one of a data directory instead.
 *
 * Where pip can't install tritonclient, --tritonclient PYTHON names a Python that has it: for example a virtual environment that
 * sees Debian's python3-geventhttpclient, python3-rapidjson and python3-numpy, with pip's grpcio-tools and packaging, and with
 * the package from src/python/library of https://github.com/triton-inference-server/client, completed by the stubs that its
 * build_wheel.py adds. Others: --engine auto, --json.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { documentedPrograms } from '../harness/documented.ts';
import { type Service, startService, trainToEnd, until } from '../harness/service.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { imageAt, imageSide, imageSize } from '../src/model/data/dataset.ts';
import { encodePng } from '../src/model/image/encode-png.ts';
import { type Report, verdictsOn } from './lib/client-report.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';
import { lastLineOf, measure, type Program } from './lib/measure.ts';
import { installPeers, type PeerSet, peerProgram } from './lib/peers.ts';
import { during } from './lib/progress.ts';
import { describeMachine, formatTable, formatVerdicts, isMet, toJson } from './lib/report.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    tritonclient: { type: 'string' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
});
const imageCount = 200;
const key = 'a-key-of-the-bench-clients';
const headers = { authorization: `Bearer ${key}` };
const protos = fileURLToPath(new URL('../src/routes/protocols/grpc', import.meta.url));
const tritonClient: PeerSet = {
  requirements: 'tritonclient.txt',
  what: "Triton's clients",
  modules: ['tritonclient.http', 'tritonclient.grpc'],
};
const generatedStub: PeerSet = {
  requirements: 'grpc-stub.txt',
  what: 'the tools that generate a gRPC stub',
  modules: ['grpc', 'grpc_tools', 'numpy'],
};

await runBench(async () => {
  const directory = await temporaryDirectory();
  const service = await serve(values['data-dir'] ?? (await train()));
  await writeImages(directory, service.address);
  const reports = await askClients(directory, service);
  const ways = reports.flatMap((report) => report.ways);
  const rows = ways.map(({ name, images, others, largest }) => [
    name,
    String(images),
    String(others),
    largest.toExponential(1),
  ]);
  console.log(formatTable([['', 'images', 'other labels', 'largest difference'], ...rows]));
  for (const failure of reports.flatMap(({ failures }) => failures)) console.log(failure);
  const verdicts = verdictsOn(reports);
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine(), reports }, verdicts));
  if (!verdicts.every(isMet)) process.exitCode = 1;
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Returns the data directory of a version that has seen few images, so that its answers differ from image to image. */
async function train(): Promise<string> {
  const dataDir = await temporaryDirectory();
  const env = { ENGINE: values.engine, FIRST_MODEL: 'false' };
  const service = await startService(dataDir, env, undefined, interrupted);
  const end = atEnd(async () => void (await service.end()));
  const job = trainToEnd(
    service.address,
    { recipe: 'fast', trainImages: 2000, testImages: 200, calibrationImages: 500 },
    5 * 60_000,
  );
  const { status } = await during('training a small version', job);
  if (status !== 'succeeded') throw new Error(`expected the training to succeed, it ${status}`);
  await end();
  return dataDir;
}

async function serve(dataDir: string): Promise<Service> {
  const env = { ENGINE: values.engine, FIRST_MODEL: 'false', GRPC_PORT: '0', API_KEY: key };
  const service = await startService(dataDir, env, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  const ready = async () => (await fetch(`${service.address}/v2/health/ready`)).ok;
  await during('starting', until(ready, 'the model to be served', 60_000));
  return service;
}

/** Writes the images as greys and as PNGs, and what POST /predict answers for the PNGs. */
async function writeImages(directory: string, address: string): Promise<void> {
  const split = await readSplit('mnist', 'test');
  await writeFile(join(directory, 'images.u8'), split.images.subarray(0, imageCount * imageSize));
  const labels: string[] = [];
  const probabilities: number[][] = [];
  for (let i = 0; i < imageCount; i++) {
    const body = await encodePng(imageAt(split, i), imageSide, imageSide);
    await writeFile(join(directory, `${String(i).padStart(3, '0')}.png`), body);
    const type = { 'content-type': 'image/png' };
    const response = await fetch(`${address}/predict`, {
      method: 'POST',
      headers: { ...headers, ...type },
      body: new Uint8Array(body),
    });
    if (!response.ok) throw new Error(`expected 200, got ${response.status}: ${await response.text()}`);
    const answer = (await response.json()) as { label: string; probabilities: number[] };
    labels.push(answer.label);
    probabilities.push(answer.probabilities);
  }
  const right = labels.filter((label, i) => label === String(split.labels[i])).length;
  console.log(`POST /predict reads ${right} of ${imageCount} images right`);
  await writeFile(join(directory, 'expected.json'), JSON.stringify({ labels, probabilities }));
}

async function askClients(directory: string, service: Service): Promise<Report[]> {
  const http = new URL(service.address).host;
  const grpc = /gRPC on (\S+)/.exec(service.output())![1]!;
  const reports: Report[] = [];
  const triton = values.tritonclient ?? (await pythonWith(tritonClient));
  if (triton === null) console.log('--tritonclient PYTHON takes a Python that has them');
  const calls = [directory, http, grpc, key];
  if (triton !== null) {
    await expectDocumentedClient(triton, service.address);
    reports.push(await ask("Triton's clients", peerProgram(triton, 'triton_client.py', calls)));
  }
  const python = await pythonWith(generatedStub);
  const stubArgs = [directory, grpc, key, protos];
  if (python !== null)
    reports.push(await ask('a generated stub', peerProgram(python, 'grpc_stub.py', stubArgs)));
  return reports;
}

/** Runs the client in docs/protocols.md as it stands there. Throws when it prints another label than V1 answers. */
async function expectDocumentedClient(python: string, address: string): Promise<void> {
  const code = (await documentedPrograms('protocols.md')).get('python triton')!;
  const env = { TRAINYARD_ADDRESS: new URL(address).host, API_KEY: key };
  const printed = await lastLineOf({ program: python, args: ['-c', code], env });
  const stroke = Array.from({ length: imageSize }, (_, i) => Number(i % 28 === 14 && i >= 140 && i < 644));
  const body = JSON.stringify({ instances: [stroke] });
  const response = await fetch(`${address}/v1/models/mnist:predict`, { method: 'POST', headers, body });
  const { predictions } = (await response.json()) as { predictions: [{ label: string }] };
  const [{ label }] = predictions;
  if (printed.split(' ')[0] !== label)
    throw new Error(`docs/protocols.md, tritonclient: expected label ${label}, got ${printed}`);
  console.log(`the client with tritonclient in docs/protocols.md prints: ${printed}`);
}

async function pythonWith(set: PeerSet): Promise<string | null> {
  const peers = await installPeers(set);
  return peers.ok ? peers.python : null;
}

async function ask(what: string, program: Program): Promise<Report> {
  const report = await measure<Report>(what, program);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${what}: ${versions.join(', ')}`);
  return report;
}

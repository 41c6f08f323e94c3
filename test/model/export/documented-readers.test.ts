/** The programs in docs/exports.md that read files in TypeScript are run as they stand there; the bench runs those in Python. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentedPrograms } from '../../../harness/documented.ts';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { exportVersion } from '../../../src/model/export/export-version.ts';
import { programFile } from '../../program-file.ts';
import { cases, logitsOf, publishedModel, softmaxOf } from './exported.ts';
import { unzip } from './unzip.ts';

const run = promisify(execFile);
const programs = await documentedPrograms('exports.md');
const stroke = Float32Array.from({ length: 784 }, (_, i) => Number(i % 28 === 14 && i >= 140 && i < 644));
const { calibration } = cases[1]![2];
const model = await publishedModel('article', { calibration: calibration! });

let served: Map<string, Buffer>;
const server = createServer(({ url }, response) => {
  response.setHeader(
    'content-type',
    url!.endsWith('.json') ? 'application/json' : 'application/octet-stream',
  );
  response.end(served.get(url!.replace('/mnist-3/', '')));
});
let expected: string;
beforeAll(async () => {
  served = await unzip(Buffer.from((await exportVersion(model, 'tfjs')).bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const probabilities = softmaxOf(
    await logitsOf(model, stroke),
    digitLabels.length,
    calibration!.temperature,
  );
  const largest = Math.max(...probabilities);
  expected = `${digitLabels[probabilities.indexOf(largest)]} ${largest.toFixed(4)}`;
});
afterAll(() => server.close());

it('has a program for each format and language', () => {
  expect([...programs.keys()]).toEqual(['python onnx', 'python safetensors', 'ts onnx', 'ts tfjs']);
});

it.each(['ts onnx', 'ts tfjs'])('%s reads an image', async (name) => {
  const { port } = server.address() as { port: number };
  const code = programs.get(name)!.replace('http://127.0.0.1:8000', `http://127.0.0.1:${port}`);
  const { program, args, folder } = await programFile(code);
  await writeFile(join(folder, 'mnist-3.onnx'), (await exportVersion(model, 'onnx')).bytes);
  const { stdout } = await run(program, args, { cwd: folder });
  const [label, probability] = stdout.trim().split('\n').at(-1)!.split(' ');
  expect(`${label} ${Number(probability).toFixed(4)}`).toBe(expected);
});

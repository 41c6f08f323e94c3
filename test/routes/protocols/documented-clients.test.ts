/** The clients in docs/protocols.md are run as they stand there, against the real parts. */
import { execFile, spawnSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrpcServer } from '../../../src/routes/protocols/grpc/grpc-server.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { type Parts, startParts } from '../parts.ts';
import { openGrpcOn, protoFile } from './grpc/client.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = await readFile(new URL('../../../docs/protocols.md', import.meta.url), 'utf8');
const programs = new Map(
  [...text.matchAll(/^```(\w+ (?:v\d|grpc))\n(.*?)^```$/gms)].map(([, name, code]) => [name!, code!]),
);
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.log('the clients in Python are not tested: there is no python3 on the PATH');

let parts: Parts;
let grpc: GrpcServer;
let address: string;
let expected: string;
beforeAll(async () => {
  parts = await startParts();
  await parts.publishAndServe();
  address = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  grpc = await openGrpcOn(parts);
  const stroke = Array.from({ length: 784 }, (_, i) => Number(i % 28 === 14 && i >= 140 && i < 644));
  const { predictions } = (
    await parts.app.inject({
      method: 'POST',
      url: '/v1/models/mnist:predict',
      payload: { instances: [stroke] },
    })
  ).json<{ predictions: [{ label: string; probabilities: number[] }] }>();
  const [{ label, probabilities }] = predictions;
  expected = `${label} ${Math.max(...probabilities).toFixed(6)}`;
});
afterAll(async () => {
  await grpc.close();
  await parts.close();
});

/** What it prints: a label and a probability. */
async function outputOf(program: string, ...args: string[]): Promise<string> {
  const env = { TRAINYARD_URL: address, TRAINYARD_GRPC: grpc.address, TRAINYARD_PROTO: protoFile };
  const { stdout } = await run(program, args, { env: { ...process.env, ...env } });
  const [label, probability] = stdout.trim().split(' ');
  return `${label} ${Number(probability).toFixed(6)}`;
}

describe('the documented client', () => {
  it('is there for each protocol and language', () => {
    expect([...programs.keys()]).toEqual(['ts grpc', 'python v2', 'ts v2', 'python v1', 'ts v1']);
  });

  it.skipIf(!hasPython).each(['python v2', 'python v1'])('%s reads an image', async (name) => {
    expect(await outputOf('python3', '-c', programs.get(name)!)).toBe(expected);
  });

  it.each(['ts v2', 'ts v1', 'ts grpc'])('%s reads an image', async (name) => {
    const folder = await temporaryDirectory();
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules')); // for what a client imports
    const file = join(folder, 'client.mts');
    await writeFile(file, programs.get(name)!);
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    expect(await outputOf(process.execPath, '--import', tsx, file)).toBe(expected);
  });
});

/**
 * The clients in docs/protocols.md are run as they stand there, against the real parts; the one with tritonclient by
 * `npm run bench:clients`, since it is a package of pip.
 */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentedPrograms } from '../../../harness/documented.ts';
import type { GrpcServer } from '../../../src/routes/protocols/grpc/grpc-server.ts';
import { programFile } from '../../program-file.ts';
import { type Parts, startParts } from '../parts.ts';
import { openGrpcOn, protoFile } from './grpc/client.ts';

const run = promisify(execFile);
const programs = await documentedPrograms('protocols.md');
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
    expect([...programs.keys()]).toEqual([
      'python triton',
      'python v2',
      'ts v2',
      'python v1',
      'ts v1',
      'ts grpc',
    ]);
  });

  it.skipIf(!hasPython).each(['python v2', 'python v1'])('%s reads an image', async (name) => {
    expect(await outputOf('python3', '-c', programs.get(name)!)).toBe(expected);
  });

  it.each(['ts v2', 'ts v1', 'ts grpc'])('%s reads an image', async (name) => {
    const { program, args } = await programFile(programs.get(name)!);
    expect(await outputOf(program, ...args)).toBe(expected);
  });
});

/**
 * Requests that are not as KServe V2 or TensorFlow Serving say, sent to the real server: each is refused with a reason, and
 * nothing of it stays in memory. A failure prints the seed; FUZZ_SEED=… runs it again. FAULTS=long sends 4,000.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLong } from '../long.ts';
import { memoryOf, predictorPid } from '../model/serving/processes.ts';
import { startServer } from './server.ts';

const each = isLong ? 1000 : 150; // requests of each protocol
const together = 5; // at a time
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const memorySlack = 64; // MB over the level after as many requests as are sent: garbage

const server = await startServer();
const predictor = predictorPid(server.process.pid)!;

const size = fc.oneof(
  fc.constantFrom(0, 1, -1, 28, 784, 3136, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, '784', null, 1.5),
  fc.integer({ min: -10, max: 5000 }),
);
const shape = fc.oneof(
  fc.constantFrom([1, 28, 28, 1], [1, 784], [1], [2 ** 32, 784], [256, 784], [], 'x', null),
  fc.array(size, { maxLength: 6 }),
);
const values = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, {}, [], 'x', [[[[[[0]]]]]]),
  fc.array(fc.oneof(fc.double(), fc.integer({ min: 0, max: 255 }), fc.constant('x'), fc.constant(null)), {
    maxLength: 20,
  }),
  fc.integer({ min: 780, max: 790 }).map((length) => Array.from({ length }, (_, i) => i - 1)),
);
const input = fc.record(
  {
    name: fc.constantFrom<unknown>('image', '', 7),
    datatype: fc.constantFrom<unknown>('FP32', 'UINT8', 'BYTES', 'INT64', 7),
    shape,
    parameters: fc.oneof(fc.record({ binary_data_size: size }), fc.constantFrom(null, 'x', {})),
    data: values,
  },
  { requiredKeys: [] },
);
const outputs = fc.constantFrom<unknown>(
  undefined,
  [],
  [{ name: 'label' }],
  [{ name: 'probabilities', parameters: { classification: 2 ** 40 } }],
  [{ name: 'logits' }],
  'x',
);
const v2 = fc.record({
  body: fc.oneof(
    fc.record({ inputs: fc.oneof(fc.array(input, { maxLength: 3 }), fc.constant(null)), outputs }),
    fc.jsonValue(),
  ),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 4000 }),
    fc.constantFrom(3136, 784).map((length) => new Uint8Array(length).fill(255)), // floats: NaN
  ),
  header: fc.oneof(
    fc.constantFrom('json', undefined, '-1', '0', '9'.repeat(30), 'x'),
    fc.nat(9999).map(String),
  ),
});
const v1 = fc.oneof(
  fc.record(
    {
      instances: fc.oneof(fc.array(values, { maxLength: 4 }), values),
      inputs: values,
      signature_name: fc.anything(),
    },
    { requiredKeys: [] },
  ),
  fc.record({ examples: fc.oneof(fc.array(fc.dictionary(fc.string(), values), { maxLength: 3 }), values) }),
  fc.jsonValue(),
);

type Sent = {
  readonly path: string;
  readonly payload: Buffer;
  readonly headers?: Record<string, string>;
};

const v2Requests = v2.map(({ body, bytes, header }): Sent => {
  const json = bytesOf(body);
  const length = header === 'json' ? String(json.length) : header;
  return {
    path: '/v2/models/mnist/infer',
    payload: Buffer.concat([json, bytes]),
    ...(length !== undefined && { headers: { 'inference-header-content-length': length } }),
  };
});
const v1Requests = fc
  .tuple(v1, fc.constantFrom('predict', 'classify'))
  .map(([body, call]): Sent => ({ path: `/v1/models/mnist:${call}`, payload: bytesOf(body) }));

function bytesOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

const counts: Record<number, number> = {};

/** A request that has turned out right may be a 200. */
async function send({ path, payload, headers = {} }: Sent): Promise<void> {
  const url = new URL(path, server.address);
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(payload) });
  const { status } = response;
  const text = await response.text();
  counts[status] = (counts[status] ?? 0) + 1;
  const why = status === 200 ? 'expected' : (JSON.parse(text) as { error: string }).error;
  expect(why, text).toMatch(/^(?:expected|in the request)/);
  expect([200, 400, 404, 413, 415, 422], `${text}\n${server.output().slice(-2000)}`).toContain(status);
}

async function sendAll(round: number): Promise<void> {
  const options = { numRuns: Math.ceil(each / together), seed: seed + round, endOnFailure: true };
  for (const requests of [v2Requests, v1Requests]) {
    const some = fc.array(requests, { minLength: together, maxLength: together });
    const property = fc.asyncProperty(some, async (sent) => {
      await Promise.all(sent.map(send));
    });
    await fc.assert(property, options);
  }
}

it(
  `${4 * each} malformed requests are refused with a reason, and leave nothing (FUZZ_SEED=${seed})`,
  async () => {
    await sendAll(0); // after it, all code is loaded and compiled
    const before = await memoryOf(server.process.pid!);
    await sendAll(1);
    const after = await memoryOf(server.process.pid!);
    console.log(
      `${JSON.stringify(counts)}, server ${Math.round(before)} MB after the first half, ${Math.round(after)} at the end`,
    );
    expect(server.process.exitCode).toBeNull();
    expect(predictorPid(server.process.pid)).toBe(predictor);
    expect(after).toBeLessThan(before + memorySlack);
  },
  20 * 60_000,
);

/**
 * Messages that are not as the Open Inference Protocol says, and bytes that are no message, sent to the real server over gRPC:
 * each is refused with a reason, and nothing of it stays in memory. A failure prints the seed; FUZZ_SEED=… runs it again.
 * FAULTS=long sends 4,000.
 */
import { status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { isLong } from '../long.ts';
import { memoryOf, predictorPid } from '../model/serving/processes.ts';
import { connect } from '../routes/protocols/grpc/client.ts';
import { startServer } from './server.ts';

const each = isLong ? 1000 : 150; // of each kind
const together = 5; // at a time
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const memorySlack = 64; // MB over the level after as many calls as are sent: garbage
const path = '/inference.GRPCInferenceService/ModelInfer';

const server = await startServer({ GRPC_PORT: '0' });
const predictor = predictorPid(server.process.pid)!;
const client = connect(server.grpcAddress!);
afterAll(() => client.close());

/** Draws from the whole of Unicode; some texts are so long that the answer shortens them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', minLength: 70, maxLength: 100 }),
  fc.nat(90).map((before) => `${'a'.repeat(before)}${'😀'.repeat(20)}`),
);
const size = fc.oneof(
  fc.constantFrom(0, 1, -1, 28, 784, 3136, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 62),
  fc.integer({ min: -10, max: 5000 }),
);
const shape = fc.oneof(
  fc.constantFrom([1, 28, 28, 1], [1, 784], [1], [2 ** 32, 784], [256, 784], []),
  fc.array(size, { maxLength: 6 }),
);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 4000 }),
  fc.constantFrom(3136, 784).map((length) => new Uint8Array(length).fill(255)), // floats: NaN
);
const contents = fc.record(
  {
    uint_contents: fc.array(fc.nat(300), { maxLength: 20 }),
    fp32_contents: fc.array(fc.float(), { maxLength: 20 }),
    bytes_contents: fc.array(anyBytes, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const anyInput = fc.record(
  {
    name: fc.oneof(fc.constantFrom('image', ''), text),
    datatype: fc.oneof(fc.constantFrom('FP32', 'UINT8', 'BYTES', 'INT64', ''), text),
    shape,
    contents,
  },
  { requiredKeys: [] },
);
const parameter = fc.constantFrom({ int64_param: 2 ** 40 }, { bool_param: true }, { string_param: 'x' }, {});
const output = fc.record(
  {
    name: fc.oneof(fc.constantFrom('label', 'probabilities', 'logits', ''), text),
    parameters: fc.dictionary(fc.constantFrom('classification', 'binary_data'), parameter),
  },
  { requiredKeys: [] },
);
const anyMessage = fc.record(
  {
    model_name: fc.oneof(
      { weight: 3, arbitrary: fc.constant('mnist') },
      fc.constantFrom('letters', 'constructor', ''),
      text,
    ),
    model_version: fc.oneof(fc.constantFrom('', '1', '0', 'champion', 'x'.repeat(100)), text),
    id: text,
    inputs: fc.array(anyInput, { maxLength: 2 }),
    outputs: fc.array(output, { maxLength: 4 }),
    raw_input_contents: fc.array(anyBytes, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** Right but for its length, its shape or its values: it comes further than a message in which everything is drawn. */
const nearlyRight = fc
  .record({
    datatype: fc.constantFrom('FP32', 'UINT8', 'BYTES'),
    shape: fc.oneof(fc.constantFrom([1, 784], [1, 28, 28, 1], [1]), shape),
    bytes: fc.oneof(
      fc.constantFrom(0, 783, 785, 3135, 3137).map((length) => new Uint8Array(length)),
      anyBytes,
    ),
  })
  .map(({ datatype, shape: sizes, bytes: raw }) => ({
    model_name: 'mnist',
    inputs: [{ name: 'image', datatype, shape: sizes }],
    raw_input_contents: [raw],
  }));
const messages = fc.oneof<[fc.Arbitrary<object>, fc.Arbitrary<object>]>(anyMessage, nearlyRight);
const bytes = fc
  .tuple(fc.constantFrom(0x0a, 0x2a, 0x32, 0x3a, 0x0b), fc.uint8Array({ maxLength: 300 }))
  .map(([tag, rest]) => Buffer.from([tag, ...rest]));

const allowed = [status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND];
const counts: Record<string, number> = {};
type Ended = { readonly error: { readonly code: number; readonly details: string } | null };

/** A message that has turned out right may be answered. */
function expectRefusal({ error }: Ended): void {
  const code = error?.code ?? status.OK;
  counts[status[code]!] = (counts[status[code]!] ?? 0) + 1;
  expect(allowed, `${error?.details}\n${server.output().slice(-2000)}`).toContain(code);
  if (error) expect(error.details).toMatch(/^(?:expected|in the request|image \d)/);
}

/** Sends some at a time, until there were as many as `each`. */
async function sendEach<Sent>(
  sent: fc.Arbitrary<Sent>,
  send: (one: Sent) => Promise<Ended>,
  round: number,
): Promise<void> {
  const some = fc.array(sent, { minLength: together, maxLength: together });
  const property = fc.asyncProperty(some, async (drawn) => {
    for (const ended of await Promise.all(drawn.map(send))) expectRefusal(ended);
  });
  await fc.assert(property, { numRuns: Math.ceil(each / together), seed: seed + round, endOnFailure: true });
}

async function sendAll(round: number): Promise<void> {
  await sendEach(messages, (message) => client.call('ModelInfer', message).outcome, round);
  await sendEach(bytes, (message) => client.callRaw(path, message), round);
}

it(
  `${4 * each} malformed calls are refused with a reason, and leave nothing (FUZZ_SEED=${seed})`,
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
    expect((await client.call('ServerReady', {}).outcome).answer).toEqual({ ready: true });
  },
  20 * 60_000,
);

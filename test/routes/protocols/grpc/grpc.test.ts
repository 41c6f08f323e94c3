import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../../src/model/data/built-in.ts';
import { imageAt, imageSize } from '../../../../src/model/data/dataset.ts';
import { encodePng } from '../../../../src/model/image/encode-png.ts';
import { createMetrics } from '../../../../src/routes/metrics.ts';
import type { GrpcServer } from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { type Parts, startParts } from '../../parts.ts';
import { bytesElements, bytesOfFloats } from '../v2-client.ts';
import { connect, type GrpcClient, input, message, openGrpcOn, raw, refusalOf } from './client.ts';

const test = await readSplit('mnist', 'test');
const pixels = (count: number) => test.images.slice(0, count * imageSize);
const greys = (count: number) => Float32Array.from(pixels(count), (grey) => grey / 255);
const pictures = await Promise.all([0, 1, 2].map((i) => encodePng(imageAt(test, i), 28, 28)));

const lines: { route: string; status: string; requestId: string }[] = [];
const log = pino<string>({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const metrics = createMetrics();

let parts: Parts;
let server: GrpcServer;
let client: GrpcClient;
beforeAll(async () => {
  parts = await startParts();
  server = await openGrpcOn(parts, { metrics, log });
  client = connect(server.address);
});
afterAll(async () => {
  client.close();
  await server.close();
  await parts.close();
});

type Tensor = {
  name: string;
  datatype: string;
  shape: number[];
  contents: { fp32_contents: number[]; bytes_contents: Buffer[] } | null;
};
type InferAnswer = {
  model_name: string;
  model_version: string;
  id: string;
  outputs: Tensor[];
  raw_output_contents: Buffer[];
};

async function answerTo<Answer>(method: string, sent: object): Promise<Answer> {
  const { error, answer } = await client.call<Answer>(method, sent).outcome;
  expect(error).toBeNull();
  return answer!;
}
const infer = (sent: object) => answerTo<InferAnswer>('ModelInfer', sent);

/** The outputs as REST has them in JSON. */
function valuesOf({ outputs, raw_output_contents: bytes }: InferAnswer): Record<string, unknown[]> {
  const values = outputs.map(({ name, datatype, contents }, i) => {
    if (contents) {
      const { fp32_contents: floats, bytes_contents: texts } = contents;
      return [name, datatype === 'FP32' ? floats : texts.map(String)] as const;
    }
    return [name, datatype === 'FP32' ? floatsOf(bytes[i]!) : stringsOf(bytes[i]!)] as const;
  });
  return Object.fromEntries(values);
}

function floatsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function stringsOf(bytes: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at))
    strings.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)));
  return strings;
}

/** The real predictor, which begins to read a tensor on the event `release`, or when nobody waits for it any more. */
function heldPredictor() {
  const events = new EventEmitter();
  const { predictor } = parts;
  const held: Parameters<typeof openGrpcOn>[1] = {
    predictor: {
      serving: () => predictor.serving(),
      unserved: () => predictor.unserved(),
      predict: (...args) => predictor.predict(...args),
      predictLine: (...args) => predictor.predictLine(...args),
      predictTensor: async (tensor, options) => {
        events.emit('begun');
        await Promise.race([once(events, 'release'), once(options!.signal!, 'abort')]);
        const outcome = await predictor.predictTensor(tensor, options);
        events.emit('read', outcome);
        return outcome;
      },
    },
  };
  return { predictor: held.predictor!, events };
}

describe('before the first model', () => {
  it('is live, and not ready', async () => {
    expect(await answerTo('ServerLive', {})).toEqual({ live: true });
    expect(await answerTo('ServerReady', {})).toEqual({ ready: false });
    expect(await answerTo('Check', {})).toEqual({ status: 'NOT_SERVING' });
    expect(await answerTo('RepositoryIndex', {})).toEqual({ models: [] });
    expect(await answerTo('ModelReady', { name: 'mnist' })).toEqual({ ready: false });
    const { code } = await refusalOf(client, 'ModelInfer', raw('UINT8', [1, 784], Buffer.alloc(784)));
    expect(code).toBe('UNAVAILABLE');
  });

  it('tells those who watch when a model answers', async () => {
    const call = client.watch('');
    expect(await once(call, 'data')).toEqual([{ status: 'NOT_SERVING' }]);
    const next = once(call, 'data');
    await parts.publishAndServe();
    expect(await next).toEqual([{ status: 'SERVING' }]);
    call.on('error', () => {}); // that it was cancelled
    call.cancel();
  });
});

describe('with a model', () => {
  it('tells what it is', async () => {
    expect(await answerTo('ServerReady', {})).toEqual({ ready: true });
    expect(await answerTo('Check', { service: 'inference.GRPCInferenceService' })).toEqual({
      status: 'SERVING',
    });
    expect(await refusalOf(client, 'Check', { service: 'other' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await answerTo('ServerMetadata', {})).toEqual((await parts.app.inject('/v2')).json());
    const index = await parts.app.inject({ method: 'POST', url: '/v2/repository/index' });
    expect(index.json()).toMatchObject([{ name: 'mnist', version: '1', state: 'READY' }]);
    expect(await answerTo('RepositoryIndex', { ready: true })).toEqual({ models: index.json() });
    const described = (await parts.app.inject('/v2/models/mnist')).json();
    for (const version of ['', '1', 'champion']) {
      expect(await answerTo('ModelReady', { name: 'mnist', version })).toEqual({ ready: true });
      expect(await answerTo('ModelMetadata', { name: 'mnist', version })).toEqual(described);
    }
    for (const other of [
      { name: 'letters' },
      { name: 'mnist', version: '9' },
      ...['best', '0', '-1', '1.0', '01'].map((version) => ({ name: 'mnist', version })),
    ])
      expect(await answerTo('ModelReady', other)).toEqual({ ready: false });
    const noName = await refusalOf(client, 'ModelReady', { name: 'No name' });
    expect(noName).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('answers in every form what REST answers', async () => {
    const payload = { inputs: [{ ...input('UINT8', [3, 784]), data: [...pixels(3)] }] };
    const response = await parts.app.inject({ method: 'POST', url: '/v2/models/mnist/infer', payload });
    type Rest = { outputs: { name: string; shape: number[]; data: unknown[] }[] };
    const { outputs } = response.json<Rest>();
    const shape = [3, 28, 28, 1];
    const forms = {
      'typed FP32': message(input('FP32', shape, { fp32_contents: [...greys(3)] })),
      'typed UINT8': message(input('UINT8', shape, { uint_contents: [...pixels(3)] })),
      'typed BYTES': message(input('BYTES', [3], { bytes_contents: pictures })),
      'raw FP32': raw('FP32', shape, bytesOfFloats(greys(3))),
      'raw UINT8': raw('UINT8', [3, 784], Buffer.from(pixels(3))),
      'raw BYTES': raw('BYTES', [3, 1], bytesElements(pictures)),
    };
    for (const [form, sent] of Object.entries(forms)) {
      const answer = await infer({ ...sent, id: form });
      expect(answer, form).toMatchObject({ model_name: 'mnist', model_version: '1', id: form });
      expect(answer.raw_output_contents.length, form).toBe(form.startsWith('raw') ? 3 : 0);
      const values = valuesOf(answer);
      for (const { name, shape: expectedShape } of outputs) {
        expect(answer.outputs.find((each) => each.name === name)!.shape, form).toEqual(expectedShape);
      }
      const { label, verdict } = values;
      const expectedTexts = ['label', 'verdict'].map(
        (name) => outputs.find((each) => each.name === name)!.data,
      );
      expect([label, verdict], form).toEqual(expectedTexts);
      const probabilities = outputs.find(({ name }) => name === 'probabilities')!.data as number[];
      for (const [i, value] of probabilities.entries())
        expect(values['probabilities']![i], form).toBeCloseTo(value, 5);
    }
  });

  it('answers some outputs, classifies, and takes 256 images', async () => {
    const outputs = [
      { name: 'label' },
      { name: 'probabilities', parameters: { classification: { int64_param: 2 } } },
    ];
    const { label, probabilities, ...others } = valuesOf(
      await infer(raw('UINT8', [256, 784], Buffer.from(pixels(256)), { outputs })),
    );
    expect([others, label!.length, probabilities!.length]).toEqual([{}, 256, 512]);
    expect(probabilities![0]).toMatch(new RegExp(`^0\\.\\d+:${String(label![0])}:${String(label![0])}$`));
  });

  it('names, counts and logs calls', async () => {
    const sent = raw('UINT8', [2, 784], Buffer.from(pixels(2)), { model_version: 'champion' });
    const call = client.call('ModelInfer', sent, { metadata: { 'x-request-id': 'mine' } });
    expect((await call.outcome).headers.get('x-request-id')).toEqual(['mine']);
    const route = '/inference.GRPCInferenceService/ModelInfer';
    expect(lines.at(-1)).toMatchObject({ route, status: 'OK', requestId: 'mine' });
    const text = await metrics.registry.metrics();
    expect(text).toMatch(
      /trainyard_grpc_call_duration_seconds_count\{method="ModelInfer",status="OK"\} [1-9]/,
    );
    expect(text).toMatch(/trainyard_predictions_total\{outcome="ok"\} [1-9]/);
  });

  it('drops the images of a call that is cancelled, or too late', async () => {
    const { predictor, events } = heldPredictor();
    const held = await openGrpcOn(parts, { predictor });
    const caller = connect(held.address);
    const sent = raw('UINT8', [1, 784], Buffer.from(pixels(1)));
    for (const [way, code] of [
      ['cancel', status.CANCELLED],
      ['deadline', status.DEADLINE_EXCEEDED],
    ] as const) {
      const [begun, read] = [once(events, 'begun'), once(events, 'read')];
      const options = way === 'deadline' ? { deadline: Date.now() + 500 } : {};
      const call = caller.call('ModelInfer', sent, { options });
      await begun;
      if (way === 'cancel') call.cancel();
      expect((await call.outcome).error?.code).toBe(code);
      expect(await read).toMatchObject([{ ok: false, code: 'CANCELLED' }]);
    }
    caller.close();
    await held.close();
  });

  it('refuses what the queue has no room for, and says when to come again', async () => {
    const sent = raw('UINT8', [256, 784], Buffer.from(pixels(256)));
    const calls = Array.from({ length: 8 }, () => client.call('ModelInfer', sent).outcome);
    const errors = (await Promise.all(calls)).flatMap(({ error }) => error ?? []);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
      expect(error.metadata.get('retry-after')[0]).toMatch(/^\d+$/);
    }
  });
});

describe('the port', () => {
  it('is refused where it is taken, with the variable to set', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(openGrpcOn(parts, { port })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(/another program listens there.*set GRPC_PORT/),
    });
    other.close();
  });

  it('is closed once calls under way are answered, and those who watch are told', async () => {
    const { predictor, events } = heldPredictor();
    const closing = await openGrpcOn(parts, { predictor });
    const caller = connect(closing.address);
    const watching = caller.watch('');
    expect(await once(watching, 'data')).toEqual([{ status: 'SERVING' }]);
    const told = once(watching, 'data');
    const ended = once(watching, 'end');
    const begun = once(events, 'begun');
    const call = caller.call('ModelInfer', raw('UINT8', [1, 784], Buffer.from(pixels(1))));
    await begun;
    const closed = closing.close();
    events.emit('release');
    expect((await call.outcome).error).toBeNull();
    await closed;
    expect(await told).toEqual([{ status: 'NOT_SERVING' }]);
    await ended;
    expect((await caller.call('ServerLive', {}).outcome).error?.code).toBe(status.UNAVAILABLE);
    caller.close();
  });
});

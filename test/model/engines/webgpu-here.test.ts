/** WebGPU, where it can be had, on a GPU or on SwiftShader, which trains four images a second: so on few of them. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultTimings } from '../../../src/jobs/worker/options.ts';
import { runTrainer, type TrainerMessage } from '../../../src/jobs/worker/trainer-supervisor.ts';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import type { TrainState } from '../../../src/model/network/operations.ts';
import {
  initialState,
  readState,
  restoreState,
  type StateValues,
  trainStep,
} from '../../../src/model/network/step.ts';
import { evaluate } from '../../../src/model/training/evaluate.ts';
import { requestOf } from '../../jobs/yard.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from '../data/mnist.ts';
import { describeEngine } from './engine-suite.ts';
import { network } from './gradients.ts';
import { whyNoWebGpu } from './webgpu-here.ts';

const lossProgram = fileURLToPath(new URL('webgpu-loss-program.ts', import.meta.url));

const missing = await whyNoWebGpu();
if (missing !== null) console.log(`engine webgpu is not tested: ${missing}`);
describeEngine('webgpu', { missing, images: 'few' });

describe.skipIf(missing !== null)('training on WebGPU', () => {
  const begin = () => initialState(initialWeights(network, 1));
  let whole: Steps;
  beforeAll(async () => {
    await openEngine('webgpu');
    whole = await stepFrom(begin(), 2);
  });

  it('lowers the loss of a batch', () => {
    const { losses } = whole;
    expect(losses[1]).toBeLessThan(losses[0]!);
  });

  it('gives the same bytes each time, and when it is taken up from a resume point', async () => {
    const first = await stepFrom(begin(), 1);
    const rest = await stepFrom(restoreState(first.values), 1);
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
    expect(rest.values).toEqual(whole.values);
  });

  it('adds in one order in the dense layer: the same bytes each time', async () => {
    const values = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    const [x, kernel] = [tf.tensor2d(values(64 * 3136), [64, 3136]), tf.tensor2d(values(31_360), [3136, 10])];
    const products = await Promise.all(Array.from({ length: 5 }, () => x.matMul(kernel).data()));
    for (const product of products) expect(product).toEqual(products[0]);
  });

  it('evaluates as the plain cpu backend does', async () => {
    const on = async (backend: string) => {
      await tf.setBackend(backend);
      const { signal } = new AbortController();
      const article = buildNetwork('article', 10);
      const weights = tf.tensor1d(initialWeights(article, 3));
      return evaluate(article, weights, { ...mnist.test, count: 3 }, signal);
    };
    const [expected, got] = [await on('cpu'), await on('webgpu')];
    const differences = expected.logits.map((logit, i) => Math.abs(logit - got.logits[i]!));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
    expect(got).toEqual({ ...expected, loss: expect.closeTo(expected.loss, 5), logits: got.logits });
  });

  it('goes on in a trainer, which reports, saves where it stands, and is gone when told to stop', async () => {
    const stop = new AbortController();
    const messages: TrainerMessage[] = [];
    const take = (message: TrainerMessage) => {
      messages.push(message);
      if (message.type === 'progress') stop.abort('worker closes');
    };
    const request = requestOf({ network: 'small', trainImages: 10, batchSize: 1, outliers: 0 });
    const order = {
      jobId: 'job-1',
      attempt: 1,
      crashes: 0,
      request,
      requireGpu: false,
      noGpu: null,
      gitCommit: null,
      intervals: defaultTimings,
      diskRetryMs: defaultTimings.diskRetry,
    };
    const dataDir = await temporaryDirectory();
    const started = { ...order, dataDir, engine: 'webgpu' } as const;
    const options = { timings: defaultTimings, trainerNiceness: 0 }; // a busy machine would starve a nice one
    const outcome = await runTrainer(started, take, stop.signal, options);
    expect(outcome).toEqual({ status: 'stopped' });
    expect(messages).toContainEqual({
      type: 'engine',
      engine: expect.objectContaining({ name: 'webgpu', device: expect.stringMatching(/^WebGPU.*GPU.*: ./) }),
    });
    expect(messages).toContainEqual({ type: 'saved', step: 1, tensors: expect.any(Number) });
  });

  it('ends the process when the device is lost, so that nothing goes on with what it did not compute', async () => {
    const child = fork(lossProgram, { execArgv: ['--import', 'tsx'], silent: true });
    let told = '';
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      told += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(told).toContain('expected the WebGPU device to compute, it was lost (destroyed)');
  });
});

type Steps = { readonly losses: number[]; readonly values: StateValues };

/** So many steps on the same image; takes over the state. */
async function stepFrom(begun: TrainState, steps: number): Promise<Steps> {
  let state = begun;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const batch = takeBatch(mnist.train, Uint32Array.of(0), 0, 1);
    const next = trainStep(network, state, batch, {
      learningRate: 0.001,
      labelSmoothing: 0.1,
      rejects: false,
    });
    losses.push((await next.loss.data())[0]!);
    state = next.state;
  }
  return { losses, values: structuredClone(await readState(state)) };
}

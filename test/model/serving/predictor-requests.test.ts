/** What the predictor asks of its process, and when it stops waiting. The process is played by the test. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import type { ModelServing } from '../../../src/model/serving/follow-registry.ts';
import type { PredictorMessage } from '../../../src/model/serving/messages.ts';
import { createPredictor, type Predictor } from '../../../src/model/serving/predictor.ts';
import type { ProcessSupervisor, SupervisorEvents } from '../../../src/model/serving/predictor-supervisor.ts';

let events: SupervisorEvents;
let sent: string[];
let kills: string[];
const supervisor: ProcessSupervisor = {
  isRunning: true,
  run: (given) => {
    events = given;
  },
  send: (request) => {
    if (request.type === 'image' && request.image === unsendable)
      events.onUnsendable(request, new Error('it could not be cloned'));
    else if (request.type === 'image') sent.push(`image ${request.id} of ${request.version}`);
    else if (request.type === 'load') sent.push(`load ${request.version}`);
    else sent.push(request.type);
  },
  kill: (reason) => void kills.push(reason),
  close: async () => {},
};

const picture = new Uint8Array([1]);
const unsendable = new Uint8Array([2]);
const served = (version: number, name = 'mnist') => ({
  name,
  version,
  jobId: 'job-1',
  epoch: 1,
  testAccuracy: 0.99,
});
const say = (message: PredictorMessage) => events.onMessage(message);
const serve = (champions: Record<string, number>, others: Record<string, number> = {}) => {
  const serving: Record<string, ModelServing> = {};
  for (const [name, champion] of Object.entries(champions))
    serving[name] = { champion, aliases: { champion, ...others }, traffic: null, revision: champion };
  say({ type: 'serving', serving, champions: {} });
};
const answer = (id: number, version: number, name = 'mnist') => {
  const model = { ...served(version, name), alias: null };
  const sure = { confidence: 1, verdict: 'known', score: null, calibrated: false } as const;
  const found = { labels: digitLabels, label: '7', digit: 7, ...sure, probabilities: [], warnings: [] };
  const timings = { decodeMs: 0, queueMs: 0, inferMs: 0 };
  say({
    type: 'answer',
    id,
    outcome: { ok: true, ...found, model, timings },
  });
};

let predictor: Predictor;
beforeEach(() => {
  sent = [];
  kills = [];
  predictor = createPredictor(supervisor);
  serve({ mnist: 1 });
});
afterEach(async () => {
  await predictor.close();
  vi.useRealTimers();
});

describe('an image whose version is not loaded', () => {
  it('is read by the next champion where there is one by then, and nothing is loaded', async () => {
    const outcome = predictor.predict(picture);
    serve({ mnist: 2 });
    say({ type: 'notLoaded', id: 0 });
    await nextTurn();
    expect(sent).toEqual(['image 0 of 1', 'image 1 of 2']);
    answer(1, 2);
    expect(await outcome).toMatchObject({ ok: true, model: { version: 2, alias: 'champion' } });
  });

  it('is read by that version once it is loaded, where no other is to answer', async () => {
    const outcome = predictor.predict(picture, { version: 9 });
    say({ type: 'notLoaded', id: 0 });
    await nextTurn();
    say({ type: 'loadOutcome', version: 9, outcome: { ok: true, model: 'mnist' } });
    await nextTurn();
    expect(sent).toEqual(['image 0 of 9', 'load 9', 'image 1 of 9']);
    answer(1, 9);
    expect(await outcome).toMatchObject({ ok: true, model: { version: 9, alias: null } });
  });

  it('says which alias points to it, where it is gone', async () => {
    serve({ mnist: 1 }, { race: 9 });
    const outcome = predictor.predict(picture, { alias: 'race' });
    say({ type: 'notLoaded', id: 0 });
    await nextTurn();
    const gone = { ok: false, code: 'MODEL_NOT_FOUND', message: 'expected a version, got 9' } as const;
    say({ type: 'loadOutcome', version: 9, outcome: gone });
    expect(await outcome).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message:
        'alias race points to version 9: expected a version, got 9; point the alias to another version',
    });
  });

  it('is not waited for by a caller that goes away while it is loaded', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] }); // no deadline ends the wait
    const gone = new AbortController();
    const outcome = predictor.predict(picture, { version: 9, signal: gone.signal });
    say({ type: 'notLoaded', id: 0 });
    await nextTurn();
    expect(sent.at(-1)).toBe('load 9');
    gone.abort();
    expect(await outcome).toMatchObject({ ok: false, code: 'CANCELLED' });
  });

  it('has its outcome within 5 s in all', async () => {
    vi.useFakeTimers();
    const outcome = predictor.predict(picture, { version: 9 });
    await vi.advanceTimersByTimeAsync(2000);
    say({ type: 'notLoaded', id: 0 });
    await vi.advanceTimersByTimeAsync(2000);
    say({ type: 'loadOutcome', version: 9, outcome: { ok: true, model: 'mnist' } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual(['image 0 of 9', 'load 9', 'image 1 of 9', 'drop']);
    expect(await outcome).toMatchObject({ ok: false, code: 'PREDICT_TIMEOUT' });
  });
});

describe('an image that can not be sent to the process', () => {
  it('is refused at once and takes no place; the process is not killed for it', async () => {
    vi.useFakeTimers();
    expect(await predictor.predict(unsendable)).toMatchObject({ ok: false, code: 'IMAGE_NOT_READ' });
    expect(predictor.load().images).toBe(0);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(kills).toEqual([]);
  });
});

describe('a request for a champion that is new enough', () => {
  it('waits for the first champion of a model', async () => {
    const outcome = predictor.predict(picture, { model: 'letters', minVersion: 7 });
    await nextTurn();
    serve({ mnist: 1, letters: 7 });
    await nextTurn();
    expect(sent).toEqual(['image 0 of 7']);
    answer(0, 7, 'letters');
    expect(await outcome).toMatchObject({ ok: true, model: { name: 'letters', version: 7 } });
  });

  it('waits for the first model', async () => {
    serve({});
    const outcome = predictor.predict(picture, { minVersion: 2 });
    await nextTurn();
    serve({ mnist: 2 });
    await nextTurn();
    answer(0, 2);
    expect(await outcome).toMatchObject({ ok: true, model: { version: 2 } });
  });

  it('waits 5 s at most', async () => {
    vi.useFakeTimers();
    const outcome = predictor.predict(picture, { model: 'letters', minVersion: 7 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(await outcome).toMatchObject({ ok: false, code: 'MODEL_UNKNOWN' });
  });

  it('does not wait where it is not clear which model is meant', async () => {
    serve({ letters: 7, signs: 8 });
    expect(await predictor.predict(picture, { minVersion: 9 })).toMatchObject({ code: 'MODEL_UNKNOWN' });
  });
});

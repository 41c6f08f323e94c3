import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PredictorRequest } from '../../../src/model/serving/messages.ts';
import { PendingImages } from '../../../src/model/serving/pending-images.ts';

const order = { image: new Uint8Array([1]), version: 1, isPinned: false, withPixels: false };

afterEach(() => vi.useRealTimers());

/** A queue for a process that only records what it is sent. */
function openQueue() {
  const sent: string[] = [];
  const send = (request: PredictorRequest) =>
    void sent.push(`${request.type} ${'id' in request ? request.id : ''}`);
  const queue = new PendingImages({ send, kill: (why) => void sent.push(`kill: ${why}`) });
  return { queue, sent };
}

describe('pending images', () => {
  it('sends an image again after a crash, once', async () => {
    const { queue, sent } = openQueue();
    const outcome = queue.predict(order);
    queue.processEnded();
    expect(sent).toEqual(['image 0']);
    queue.sendNext();
    expect(sent).toEqual(['image 0', 'image 0']);
    queue.processEnded();
    expect(await outcome).toMatchObject({ code: 'PREDICTOR_RESTARTED' });
    queue.sendNext();
    expect(sent).toHaveLength(2);
    expect(queue.load()).toEqual({ images: 0, bytes: 0 });
  });

  it('does not send an image again that nobody waits for', async () => {
    const { queue, sent } = openQueue();
    const gone = new AbortController();
    const outcome = queue.predict(order, gone.signal);
    queue.processEnded();
    gone.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    queue.sendNext();
    expect(sent).toEqual(['image 0']);
  });

  it('counts a cancelled image until the process has let go of it', async () => {
    const { queue, sent } = openQueue();
    const gone = new AbortController();
    const outcome = queue.predict(order, gone.signal);
    gone.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    expect(sent).toEqual(['image 0', 'drop 0']);
    expect(queue.load()).toEqual({ images: 1, bytes: 1 });
    queue.dropped(0);
    expect(queue.load()).toEqual({ images: 0, bytes: 0 });
  });

  it('sends at most 32 at once, and the next ones as the process lets go', async () => {
    const { queue, sent } = openQueue();
    const gone = new AbortController();
    const outcomes = Array.from({ length: 40 }, (_, id) =>
      queue.predict(order, id === 33 ? gone.signal : undefined),
    );
    expect(sent).toHaveLength(32);
    gone.abort();
    expect(await outcomes[33]).toMatchObject({ code: 'CANCELLED' });
    expect(queue.load().images).toBe(39); // one that was not sent is gone at once
    for (const id of [0, 1]) queue.dropped(id);
    expect(sent.slice(32)).toEqual(['image 32', 'image 34']);
    queue.close();
  });

  it('sends at most 4 large files at once, and small ones past those that wait', async () => {
    const { queue, sent } = openQueue();
    const photo = { ...order, image: new Uint8Array(1024 * 1024) };
    for (let id = 0; id < 6; id++) void queue.predict(photo);
    void queue.predict(order);
    expect(sent).toEqual(['image 0', 'image 1', 'image 2', 'image 3', 'image 6']);
    queue.dropped(1);
    expect(sent.at(-1)).toBe('image 4');
    queue.processEnded();
    queue.sendNext();
    expect(sent.slice(6)).toEqual(['image 0', 'image 2', 'image 3', 'image 4', 'image 6']);
    queue.close();
  });

  it('takes the largest picture of all when nothing else is queued, for a named version too', () => {
    for (const isPinned of [false, true]) {
      const { queue, sent } = openQueue();
      void queue.predict({ ...order, isPinned, image: new Uint8Array(15 * 1024 * 1024) });
      expect(sent).toEqual(['image 0']);
      queue.close();
    }
  });

  it('keeps three quarters of the places for images that no request pins', async () => {
    const { queue, sent } = openQueue();
    const pinned = { ...order, version: 2, isPinned: true };
    const pins = Array.from({ length: 300 }, () => queue.predict(pinned));
    expect(sent).toHaveLength(8);
    expect(queue.load().images).toBe(64);
    expect(await pins[64]).toMatchObject({ code: 'OVERLOADED' });
    const others = Array.from({ length: 192 }, () => queue.predict(order));
    expect(sent).toHaveLength(32);
    expect(queue.load().images).toBe(256);
    queue.dropped(0); // a pinned one: the next of them follows
    expect(sent.at(-1)).toBe('image 8');
    queue.dropped(64); // one of the others
    expect(sent.at(-1)).toBe('image 88');
    queue.close();
    for (const outcome of await Promise.all(others.slice(1)))
      expect(outcome).toMatchObject({ code: 'PREDICTOR_RESTARTED' });
  });

  it('ends every wait when it is closed', async () => {
    const { queue } = openQueue();
    const outcome = queue.predict(order);
    queue.close();
    expect(await outcome).toMatchObject({ code: 'PREDICTOR_RESTARTED' });
    expect(queue.load().images).toBe(0);
  });
});

describe('pending images of a process that answers nothing', () => {
  it('answers in 5 s, and has the process killed when it does not let go of the image in 5 more', async () => {
    const { queue, sent } = openQueue();
    vi.useFakeTimers();
    const outcome = queue.predict(order);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await outcome).toMatchObject({ code: 'PREDICT_TIMEOUT' });
    expect(sent).toEqual(['image 0', 'drop 0']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent.at(-1)).toMatch(/^kill: expected image 0/);
  });

  it('does not have it killed when it lets go in time', async () => {
    const { queue, sent } = openQueue();
    vi.useFakeTimers();
    const outcome = queue.predict(order);
    await vi.advanceTimersByTimeAsync(5000);
    await outcome;
    queue.dropped(0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual(['image 0', 'drop 0']);
  });
});

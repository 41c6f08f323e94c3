import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDelivery } from '../../../src/model/serving/delivery.ts';
import type { PredictorRequest } from '../../../src/model/serving/messages.ts';

const image = new Uint8Array([1]);

afterEach(() => vi.useRealTimers());

/** A delivery to a process that does nothing but write down what it is sent. */
function openDelivery() {
  const sent: string[] = [];
  const send = ({ type, id }: PredictorRequest) => void sent.push(`${type} ${id}`);
  const delivery = createDelivery({ send, kill: (why) => void sent.push(`kill: ${why}`) });
  return { delivery, sent };
}

describe('delivery', () => {
  it('sends an image again after a crash, once', async () => {
    const { delivery, sent } = openDelivery();
    const outcome = delivery.deliver(image);
    delivery.childEnded();
    expect(sent).toEqual(['image 0']);
    delivery.sendNext();
    expect(sent).toEqual(['image 0', 'image 0']);
    delivery.childEnded();
    expect(await outcome).toMatchObject({ code: 'PREDICTOR_RESTARTED' });
    delivery.sendNext();
    expect(sent).toHaveLength(2);
    expect(delivery.load()).toEqual({ images: 0, bytes: 0 });
  });

  it('does not send again what nobody waits for', async () => {
    const { delivery, sent } = openDelivery();
    const gone = new AbortController();
    const outcome = delivery.deliver(image, gone.signal);
    delivery.childEnded();
    gone.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    delivery.sendNext();
    expect(sent).toEqual(['image 0']);
  });

  it('counts a cancelled image until the process has let go of it', async () => {
    const { delivery, sent } = openDelivery();
    const gone = new AbortController();
    const outcome = delivery.deliver(image, gone.signal);
    gone.abort();
    expect(await outcome).toMatchObject({ code: 'CANCELLED' });
    expect(sent).toEqual(['image 0', 'drop 0']);
    expect(delivery.load()).toEqual({ images: 1, bytes: 1 });
    delivery.dropped(0);
    expect(delivery.load()).toEqual({ images: 0, bytes: 0 });
  });

  it('gives the process so many at once, and the next ones as it lets go', async () => {
    const { delivery, sent } = openDelivery();
    const gone = new AbortController();
    const outcomes = Array.from({ length: 40 }, (_, id) =>
      delivery.deliver(image, id === 33 ? gone.signal : undefined),
    );
    expect(sent).toHaveLength(32);
    gone.abort();
    expect(await outcomes[33]).toMatchObject({ code: 'CANCELLED' });
    expect(delivery.load().images).toBe(39); // one that was not sent is gone at once
    for (const id of [0, 1]) delivery.dropped(id);
    expect(sent.slice(32)).toEqual(['image 32', 'image 34']);
    delivery.end();
  });

  it('ends every wait when it is closed', async () => {
    const { delivery } = openDelivery();
    const outcome = delivery.deliver(image);
    delivery.end();
    expect(await outcome).toMatchObject({ code: 'PREDICTOR_RESTARTED' });
    expect(delivery.load().images).toBe(0);
  });
});

describe('delivery to a process that takes and gives nothing', () => {
  it('answers in 5 s, and has the process killed when it does not let go of the image in 5 more', async () => {
    const { delivery, sent } = openDelivery();
    vi.useFakeTimers();
    const outcome = delivery.deliver(image);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await outcome).toMatchObject({ code: 'PREDICT_TIMEOUT' });
    expect(sent).toEqual(['image 0', 'drop 0']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent.at(-1)).toMatch(/^kill: expected image 0/);
  });

  it('leaves it alone when it does', async () => {
    const { delivery, sent } = openDelivery();
    vi.useFakeTimers();
    const outcome = delivery.deliver(image);
    await vi.advanceTimersByTimeAsync(5000);
    await outcome;
    delivery.dropped(0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual(['image 0', 'drop 0']);
  });
});

import { describe, expect, it } from 'vitest';
import {
  onlyLabelled,
  withCorrections,
  withoutTestImages,
} from '../../../src/model/corrections/learn-corrections.ts';
import { firstOf, imageAt, type Split } from '../../../src/model/data/dataset.ts';
import { mnist } from '../data/mnist.ts';
import { correctionOf } from './made.ts';

/** Corrections 0, 1, 2 … of which the last is none of the labels. */
function corrections(count: number): Split {
  const images = new Uint8Array(count * 784);
  for (let i = 0; i < count; i++) images.set(correctionOf(i).pixels, i * 784);
  const labels = Uint16Array.from({ length: count }, (_, i) => (i === count - 1 ? 10 : i % 10));
  return { count, images, labels };
}

describe('withCorrections', () => {
  it('appends a few corrections 16 times, each once as it is', () => {
    const own = firstOf(mnist.train, 2000);
    const both = withCorrections(own, corrections(3), 1);
    expect(both.count).toBe(2000 + 3 * 16);
    expect(Buffer.compare(both.images.subarray(0, own.images.length), own.images)).toBe(0);
    expect([...both.labels.subarray(2000)]).toEqual([0, 1, 10].flatMap((label) => Array(16).fill(label)));
    for (const i of [0, 1, 2]) {
      const copies = Array.from({ length: 16 }, (_, copy) => imageAt(both, 2000 + 16 * i + copy).join());
      expect(copies[0]).toBe(correctionOf(i).pixels.join());
      expect(new Set(copies).size).toBe(16);
    }
  });

  it('appends as many as a twentieth of the images, and many corrections once', () => {
    const own = firstOf(mnist.train, 400);
    expect(withCorrections(own, corrections(5), 1).count).toBe(400 + 5 * 4);
    expect(withCorrections(own, corrections(50), 1).count).toBe(450);
  });

  it('gives the same for the same seed', () => {
    const of = (seed: number) => withCorrections(firstOf(mnist.train, 100), corrections(1), seed);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe('onlyLabelled', () => {
  it('leaves out what is none of the labels', () => {
    const set = { sha256: 'a'.repeat(64), train: corrections(5), heldOut: corrections(1) };
    const { train, heldOut } = onlyLabelled(set, 10);
    expect([...train.labels]).toEqual([0, 1, 2, 3]);
    expect(train.images).toEqual(corrections(5).images.subarray(0, 4 * 784));
    expect(heldOut).toEqual({ count: 0, images: new Uint8Array(), labels: new Uint16Array() });
  });
});

describe('withoutTestImages', () => {
  it('leaves out what is tested with', () => {
    const set = { sha256: 'a'.repeat(64), train: firstOf(mnist.test, 3), heldOut: corrections(2) };
    expect(withoutTestImages(set, mnist.test)).toEqual({
      ...set,
      train: { count: 0, images: new Uint8Array(), labels: new Uint16Array() },
    });
  });
});

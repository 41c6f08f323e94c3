import sharp from 'sharp';
import { expect, it } from 'vitest';
import type { PredictOutcome } from '../../../src/model/serving/messages.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { drawn } from '../image/formats/pictures-of-formats.ts';
import { memoryOf, predictorPid, startServing } from './processes.ts';

/** A slow machine can't read eight photos within the deadline of a prediction. */
const isLate = (outcome: PredictOutcome) => !outcome.ok && outcome.code === 'PREDICT_TIMEOUT';

it('many photos of 12 megapixels at once take little memory, and small pictures pass them', async () => {
  const { predictor } = await startServing(await temporaryDirectory());
  try {
    const small = await drawn().png().toBuffer();
    const noise = { type: 'gaussian', mean: 200, sigma: 12 } as const;
    const paper = sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#fff', noise } });
    const ink = await drawn(1500, 1500).toColourspace('srgb').png().toBuffer();
    const photo = await paper
      .composite([{ input: ink, blend: 'multiply' }])
      .jpeg({ quality: 90 })
      .toBuffer();
    expect(photo.byteLength).toBeGreaterThan(1024 * 1024);
    for (let i = 0; i < 4; i++) await predictor.predict(small); // has the threads started
    const pid = predictorPid()!;
    const before = await memoryOf(pid, 'VmHWM');
    const ends: string[] = [];
    const send = async (name: string, image: Buffer) => {
      let outcome = await predictor.predict(image);
      while (isLate(outcome)) outcome = await predictor.predict(image);
      ends.push(outcome.ok ? name : `${name}: ${outcome.code}`);
    };
    const photos = Array.from({ length: 8 }, () => send('photo', photo));
    await Promise.all([...photos, send('small', small)]);
    const rise = (await memoryOf(pid, 'VmHWM')) - before;
    console.log(`8 photos of 12 megapixels: the predictor's peak memory rises by ${Math.round(rise)} MB`);
    expect(ends.filter((end) => end === 'photo')).toHaveLength(8);
    expect(ends.indexOf('small')).toBeLessThan(4);
    expect(rise).toBeLessThan(200);
  } finally {
    await predictor.close();
  }
});

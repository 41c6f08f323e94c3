/** Made corrections. */
import { sha256Of } from '../../../src/lib/sha256.ts';
import type { NewCorrection } from '../../../src/model/corrections/corrections.ts';
import { imageSize } from '../../../src/model/data/dataset.ts';

const answer = { version: 1, label: '8', confidence: 0.7, verdict: 'unsure' } as const;

/** A picture like no other, with whatever label. */
export function correctionOf(number: number, change: Partial<NewCorrection> = {}): NewCorrection {
  const seed = Buffer.from(sha256Of(String(number)), 'hex');
  const pixels = Uint8Array.from({ length: imageSize }, (_, i) => seed[i % seed.length]!);
  return { model: 'mnist', label: String(number % 10), answer, pixels, ...change };
}

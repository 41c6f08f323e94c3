/** Ids that follow from a model's name and the pixels of a picture: the same picture is corrected once and kept once. */
import { sha256Of } from '../../lib/sha256.ts';

export const correctionIdLength = 32; // hexadecimal digits

export function correctionIdOf(model: string, pixels: Uint8Array): string {
  return hashOf(model, pixels).slice(0, correctionIdLength);
}

/** A UUID of version 8, whose bits are the program's own (RFC 9562). */
export function predictionIdOf(model: string, pixels: Uint8Array): string {
  const hash = hashOf(model, pixels);
  const variant = '89ab'[Number.parseInt(hash[16]!, 16) % 4]!;
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`];
  return [...parts, variant + hash.slice(17, 20), hash.slice(20, 32)].join('-');
}

const hashOf = (model: string, pixels: Uint8Array) =>
  sha256Of(Buffer.concat([Buffer.from(`${model}\n`), pixels]));

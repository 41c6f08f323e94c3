/** The picture that a network saw, as answers show it. */
import { imageSide } from '../model/data/dataset.ts';
import { encodePng } from '../model/image/encode-png.ts';

/** Pixels [784] → a grey PNG as base64. */
export async function pngOf(pixels: Uint8Array): Promise<string> {
  return (await encodePng(pixels, imageSide, imageSide)).toString('base64');
}

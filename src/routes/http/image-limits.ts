/** Size limits of the images in a request, in whatever form they are sent. */
import { HttpProblem } from './problem.ts';

export const maxImageBytes = 15 * 1024 * 1024;
export const maxImages = 16;
export const maxImagesBytes = 16 * 1024 * 1024; // all images of one request together

/** Returns the image. @throws HttpProblem 413 if it is too large */
export function limited(image: Buffer): Buffer {
  if (image.byteLength > maxImageBytes) throw tooLarge('an image', maxImageBytes);
  return image;
}

export function tooLarge(what: string, limit: number): HttpProblem {
  const detail = `expected ${what} to have at most ${limit} bytes, got more; make it smaller`;
  return new HttpProblem({ status: 413, code: 'IMAGE_TOO_LARGE', detail });
}

/** Names the test images of a data set: two data sets with the same test split have the same name for it. */
import { sha256Of } from '../../lib/sha256.ts';

/** @param images SHA-256 of the file of images, in hex @param labels of the file of labels */
export function testSetId(images: string, labels: string): string {
  return sha256Of(`${images} ${labels}`);
}

/** A name for data as it was read, to tell that two programs train on the same. */
import { createHash } from 'node:crypto';
import type { Split } from '../../src/model/data/dataset.ts';

/** SHA-256 of all pixels and then all labels, in hex. */
export function fingerprint({ images, labels }: Split): string {
  return createHash('sha256').update(images).update(labels).digest('hex');
}

/** A thread of the decode pool. */
import { parentPort } from 'node:worker_threads';
import { readPicture } from '../image/read-picture.ts';
import type { DecodeOrder, DecodeResult } from './decode-pool.ts';

parentPort!.on('message', (order: DecodeOrder) => void decode(order));

async function decode({ id, image, as }: DecodeOrder): Promise<void> {
  const result: DecodeResult = { id, picture: await readPicture(image, as) };
  parentPort!.postMessage(result, []);
}

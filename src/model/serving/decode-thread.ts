/** A thread of the decode pool. */
import { parentPort } from 'node:worker_threads';
import { readDigit } from '../image/read-digit.ts';
import type { DecodeOrder, DecodeResult } from './decode-pool.ts';

parentPort!.on('message', (order: DecodeOrder) => void decode(order));

async function decode({ id, image }: DecodeOrder): Promise<void> {
  const result: DecodeResult = { id, digit: await readDigit(image) };
  parentPort!.postMessage(result, []);
}

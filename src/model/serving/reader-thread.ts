/** A thread that reads pictures. */
import { parentPort } from 'node:worker_threads';
import { readDigit } from '../image/read-digit.ts';
import type { PictureOrder, PictureRead } from './reader.ts';

parentPort!.on('message', (order: PictureOrder) => void read(order));

async function read({ id, image }: PictureOrder): Promise<void> {
  const result: PictureRead = { id, digit: await readDigit(image) };
  parentPort!.postMessage(result, []);
}

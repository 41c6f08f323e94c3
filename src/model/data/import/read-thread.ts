/** A thread of the read pool. */
import { openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { EndOrder, ReadOrder, ReadResult, ReadThreadData } from './read-order.ts';
import { readPictures } from './read-pictures.ts';

const { archive } = workerData as ReadThreadData;
const file = openSync(archive, 'r');
let isStopped = false; // messages come in between two pictures
let last = Promise.resolve(); // one at a time, so that a thread holds one picture

parentPort!.on('message', (order: ReadOrder | EndOrder) => {
  if (order.task === 'end') isStopped = true;
  last = last.then(() => (order.task === 'end' ? parentPort!.close() : read(order)));
});

async function read({ id, task, pictures }: ReadOrder): Promise<void> {
  const answer = await readPictures(file, task, pictures, () => isStopped);
  const result: ReadResult = { id, answer };
  parentPort!.postMessage(result, [answer.pixels.buffer, answer.hashes.buffer] as ArrayBuffer[]);
}

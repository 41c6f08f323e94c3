/**
 * A client in a process of its own: so many keep-alive connections, each sending one picture after the other from a
 * directory, in turn. With a rate, requests are due at that rate whether or not answers have come, and a latency
 * counts from when its request was due. Prints one JSON line: answers a second and latencies.
 * Arguments: URL, connections, seconds, directory of PNGs, rate a second (0: as fast as answers come).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import { percentile } from './lib/statistics.ts';

const [origin, connections, seconds, directory, rate] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const warmUpMs = 2000;
const answerWithinMs = 10_000;

const names = (await readdir(directory)).toSorted();
const pictures = await Promise.all(names.map((name) => readFile(join(directory, name))));
const latencies: number[] = []; // ms, of answers that came while it counted
const intervalMs = Number(rate) > 0 ? 1000 / Number(rate) : 0;
let next = 0; // request, from the start
let counting = false;
const end = new AbortController();

const beganAt = performance.now();
const clients = Array.from({ length: Number(connections) }, () => keepSending());
await Promise.race([delay(warmUpMs), ...clients]); // a client ends only by a failure
counting = true;
const countedFrom = { clock: Date.now(), at: performance.now() };
await Promise.race([delay(1000 * Number(seconds)), ...clients]);
counting = false;
const measuredSeconds = (performance.now() - countedFrom.at) / 1000;
const countedTo = Date.now();
end.abort();
await Promise.all(clients);
const share = (of: number) => percentile(latencies, of);
const [p50, p95, p99] = [share(0.5), share(0.95), share(0.99)];
const perSecond = latencies.length / measuredSeconds;
const span = { from: countedFrom.clock, to: countedTo };
console.log(JSON.stringify({ perSecond, p50, p95, p99, count: latencies.length, errors: 0, ...span }));

async function keepSending(): Promise<void> {
  const client = new Client(origin, { headersTimeout: answerWithinMs, bodyTimeout: answerWithinMs });
  while (!end.signal.aborted) {
    const index = next++;
    const dueAt = intervalMs > 0 ? beganAt + index * intervalMs : performance.now();
    if (dueAt > performance.now()) await delay(dueAt - performance.now());
    await send(client, pictures[index % pictures.length]!);
    if (counting) latencies.push(performance.now() - dueAt);
  }
  await client.close();
}

/** Throws unless the answer is a 200: one other answer makes the whole measurement void. */
async function send(client: Client, picture: Buffer): Promise<void> {
  const headers = { 'content-type': 'image/png' };
  const answer = await client.request({ path: '/predict', method: 'POST', headers, body: picture });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`expected 200, got ${answer.statusCode}: ${text}`);
}

/**
 * A client of its own process: so many keep-alive connections, each sending one picture after the other from a
 * directory, in turn. Prints one JSON line: answers a second and latencies.
 * Arguments: URL, connections, seconds, directory of PNGs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from './lib/statistics.ts';

const [url, connections, seconds, directory] = process.argv.slice(2) as [string, string, string, string];
const warmUpMs = 2000;
const answerWithinMs = 10_000;

const names = (await readdir(directory)).toSorted();
const pictures = await Promise.all(names.map((name) => readFile(join(directory, name))));
const latencies: number[] = []; // ms, of answers that came while it counted
let next = 0;
let counting = false;
const end = new AbortController();

const clients = Array.from({ length: Number(connections) }, () => keepSending());
await delay(warmUpMs);
counting = true;
const startedAt = performance.now();
await Promise.race([delay(1000 * Number(seconds)), ...clients]); // a client ends only by a failure
counting = false;
const measuredSeconds = (performance.now() - startedAt) / 1000;
end.abort();
await Promise.all(clients);
const share = (of: number) => percentile(latencies, of);
const [p50, p95, p99] = [share(0.5), share(0.95), share(0.99)];
console.log(
  JSON.stringify({ perSecond: latencies.length / measuredSeconds, p50, p95, p99, count: latencies.length }),
);

async function keepSending(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!end.signal.aborted) {
    const sentAt = performance.now();
    await send(agent, pictures[next++ % pictures.length]!);
    if (counting) latencies.push(performance.now() - sentAt);
  }
  agent.destroy();
}

function send(agent: Agent, picture: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'image/png', 'content-length': picture.length };
    const call = request(url, { method: 'POST', agent, headers, timeout: answerWithinMs }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`expected 200, got ${response.statusCode}`));
      response.on('end', resolve).resume();
    });
    call.on('timeout', () => call.destroy(new Error(`no answer in ${answerWithinMs} ms`)));
    call.on('error', reject);
    call.end(picture);
  });
}

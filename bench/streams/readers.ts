/** Reads a number of event streams, shared out among URLs, to their ends; prints what was heard and how late, as JSON. */
import { type ClientRequest, get } from 'node:http';
import { percentile } from '../lib/statistics.ts';

export type Heard = {
  readonly events: number; // progress, over all streams
  readonly lost: number; // numbers that a stream lacks, and its end
  readonly medianMs: number; // from the update to the reader
  readonly p99Ms: number;
  readonly worstMs: number;
};

const [count, ...urls] = process.argv.slice(2);
const delays: number[] = []; // ms
let lost = 0;

await Promise.all(Array.from({ length: Number(count) }, (_, index) => read(urls[index % urls.length]!)));
const heard: Heard = {
  events: delays.length,
  lost,
  medianMs: percentile(delays, 0.5),
  p99Ms: percentile(delays, 0.99),
  worstMs: percentile(delays, 1),
};
console.log(JSON.stringify(heard));

function read(url: string): Promise<ClientRequest> {
  let next = 1;
  let rest = '';
  let isDone = false;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const now = Date.now();
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop()!;
        for (const block of blocks) {
          const [, id, type, at] = /^id: (\d+)\nevent: (\w+)\ndata: .*?"at":"([^"]+)"/.exec(block) ?? [];
          if (id === undefined) continue; // a comment
          if (Number(id) !== next++) lost++;
          if (type === 'done') isDone = true;
          if (type === 'progress') delays.push(now - Date.parse(at!));
        }
      });
      response.on('end', () => {
        if (!isDone) lost++;
        resolve(request);
      });
    });
    request.on('error', reject);
  });
}

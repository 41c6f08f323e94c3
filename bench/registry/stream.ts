/** Sends the test images to a server, one after the other on each of a few connections, and counts what comes back. */
import { Client } from 'undici';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';

export type Picture = { readonly png: Buffer; readonly label: number };

/** `version`: of the model that gave it. */
export type Answer = { readonly isRight: boolean; readonly version: number };

export type Answers = {
  readonly failed: number;
  readonly answers: readonly Answer[]; // in the order of their requests
  readonly byVersion: ReadonlyMap<number, number>; // how many answers each version gave
  readonly byAlias: ReadonlyMap<string, number>;
  readonly latencies: readonly number[]; // ms
};

export async function readPictures(): Promise<Picture[]> {
  const test = await readSplit('mnist', 'test');
  return Promise.all(
    Array.from({ length: test.count }, async (_, index) => ({
      png: await encodePng(imageAt(test, index), 28, 28),
      label: test.labels[index]!,
    })),
  );
}

type StreamOptions = {
  readonly connections?: number;
  readonly query?: string;
  /** Ends the stream; it sends at least `atLeast` requests all the same. */
  readonly until?: AbortSignal;
  readonly atLeast?: number;
};

export async function sendPictures(
  address: string,
  pictures: readonly Picture[],
  { connections = 4, query = '', until, atLeast = pictures.length }: StreamOptions = {},
): Promise<Answers> {
  let next = 0;
  let failed = 0;
  const answers: (Answer | undefined)[] = []; // by request
  const byVersion = new Map<number, number>();
  const byAlias = new Map<string, number>();
  const latencies: number[] = [];
  const isDone = () => next >= atLeast && (until === undefined || until.aborted);
  const send = async (client: Client) => {
    const index = next++;
    const { png, label } = pictures[index % pictures.length]!;
    const startedAt = performance.now();
    const headers = { 'content-type': 'image/png' };
    const response = await client.request({ method: 'POST', path: `/predict${query}`, headers, body: png });
    const answer = (await response.body.json()) as {
      digit: number;
      model: { version: number; alias: string | null };
    };
    if (response.statusCode !== 200) throw new Error(`expected status 200, got ${response.statusCode}`);
    latencies.push(performance.now() - startedAt);
    answers[index] = { isRight: answer.digit === label, version: answer.model.version };
    count(byVersion, answer.model.version);
    count(byAlias, answer.model.alias ?? '');
  };
  const lane = async () => {
    const client = new Client(address);
    while (!isDone()) await send(client).catch(() => void failed++);
    await client.close();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const came = answers.filter((answer) => answer !== undefined);
  return { failed, answers: came, byVersion, byAlias, latencies };
}

/**
 * The lowest accuracy over any so many requests in a row, which ask for each picture once. Where the champion changes,
 * some of their answers are of one version and some of another: such a stretch may hold what each of the two misreads,
 * and says little of either.
 */
export function lowestAccuracy(answers: readonly Answer[], window: number): { byOne: number; mixed: number } {
  let right = 0;
  let sinceChange = 0; // answers in a row of the version that gave the last one
  const lowest = { byOne: 1, mixed: 1 };
  for (const [i, { isRight, version }] of answers.entries()) {
    right += Number(isRight) - Number(i >= window && answers[i - window]!.isRight);
    sinceChange = version === answers[i - 1]?.version ? sinceChange + 1 : 1;
    if (i < window - 1) continue;
    const kind = sinceChange >= window ? 'byOne' : 'mixed';
    lowest[kind] = Math.min(lowest[kind], right / window);
  }
  return lowest;
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

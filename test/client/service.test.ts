/** The client beside the real API and a worker. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeZip } from '../../harness/zip.ts';
import {
  answerOf,
  createClient,
  importDataset,
  predict,
  queueJob,
  watchImport,
  watchJob,
} from '../../src/client/index.ts';
import { twoLabels } from '../model/data/import/importing.ts';
import { type Service, smallRun, startService } from './service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.parts.publishAndServe();
});
afterAll(() => service?.close());

async function collect<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const collected: Event[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

describe('the client of the real API', () => {
  it('follows a job through 20 drops of the connection as if there had been none', async () => {
    const steady = createClient({ baseUrl: service.url });
    // Every second connection brings an event and some of the next one; the others break off before that.
    const extra = fc.sample(fc.nat(100), { numRuns: 20, seed: 6 });
    const drops = extra.map((bytes, index) => ({ events: index % 2, bytes }));
    const shaky = createClient({ baseUrl: service.url, fetch: dropping(drops) });
    const job = await answerOf(queueJob(steady, { ...smallRun, epochs: 3 }));
    const [all, pieced] = await Promise.all([
      collect(watchJob(steady, job.id)),
      collect(watchJob(shaky, job.id)),
    ]);
    expect(pieced).toEqual(all);
    expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
    expect(all.filter(({ type }) => type === 'epoch')).toHaveLength(3);
    expect(all.at(-1)).toMatchObject({ type: 'done', status: 'succeeded' });
    expect(drops).toEqual([]);
    expect(await collect(watchJob(steady, job.id, { after: all.length }))).toEqual([]);
  });

  it('follows an import likewise, also one that has ended, and none where there was none', async () => {
    const steady = createClient({ baseUrl: service.url });
    const drops = Array.from({ length: 4 }, (_, index) => ({ events: index % 2, bytes: 10 * index }));
    const shaky = createClient({ baseUrl: service.url, fetch: dropping(drops) });
    await importDataset(steady, new Blob([makeZip(twoLabels(10))]), { name: 'letters' });
    const [all, pieced] = await Promise.all(
      [steady, shaky].map((client) => collect(watchImport(client, 'letters'))),
    );
    expect(pieced).toEqual(all);
    expect(all!.map(({ id }) => id)).toEqual(all!.map((_, index) => index + 1));
    expect(all!.at(-1)).toMatchObject({ type: 'done', status: 'succeeded', report: { accepted: 20 } });
    expect(await collect(watchImport(steady, 'letters', { after: all!.length - 1 }))).toEqual(all!.slice(-1));
    expect(await collect(watchImport(steady, 'mnist'))).toEqual([]);
    await expect(collect(watchImport(steady, 'nothing'))).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
    });
  });

  it('gives up on a job that is not there, in the words of the server', async () => {
    const client = createClient({ baseUrl: service.url });
    await expect(collect(watchJob(client, 'nobody'))).rejects.toThrow(
      /^expected the id of a job in GET \/jobs/,
    );
  });

  it('reads a digit, and says what is wrong with what is none', async () => {
    const client = createClient({ baseUrl: service.url });
    const image = await (await fetch(`${service.url}/datasets/mnist/test/0.png`)).blob();
    const prediction = await predict(client, image);
    expect(prediction.probabilities).toHaveLength(10);
    expect(prediction.model.version).toBeGreaterThan(0);
    const untyped = new Blob([await image.arrayBuffer()]);
    expect((await predict(client, untyped)).probabilities).toEqual(prediction.probabilities);
    const text = new Blob(['hello'], { type: 'image/png' });
    await expect(predict(client, text)).rejects.toMatchObject({ code: 'IMAGE_TYPE_UNSUPPORTED' });
  });

  it('is "trainyard/client" within the package', async () => {
    const program = `
      import { answerOf, createClient } from 'trainyard/client';
      const client = createClient({ baseUrl: ${JSON.stringify(service.url)} });
      console.log((await answerOf(client.GET('/models'))).data.length > 0);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect(stdout).toBe('true\n');
  });
});

type Drop = { readonly events: number; readonly bytes: number };

/** Ends one stream after another so many bytes behind so many events; what comes when none is left stays whole. */
function dropping(drops: Drop[]): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await fetch(request);
    const drop = response.headers.get('content-type') === 'text/event-stream' ? drops.shift() : undefined;
    let seen = '';
    const transform = (chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>) => {
      const before = seen.length;
      seen += Buffer.from(chunk).toString('latin1');
      const end = drop ? endOfBlock(seen, drop.events + 1) + drop.bytes : Number.POSITIVE_INFINITY;
      controller.enqueue(hurried(chunk).subarray(0, end - before));
      if (seen.length >= end) controller.terminate();
    };
    if (!response.body) return response;
    return new Response(response.body.pipeThrough(new TransformStream({ transform })), response);
  };
}

/** Returns where the first `count` blocks of a stream end. The first block is `retry`; each event is a block. */
function endOfBlock(text: string, count: number): number {
  let end = 0;
  for (let block = 0; block < count; block++) {
    const next = text.indexOf('\n\n', end);
    if (next === -1) return Number.POSITIVE_INFINITY;
    end = next + 2;
  }
  return end;
}

/** The server wants a second of patience, 20 times. */
function hurried(chunk: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(chunk).toString('latin1').replace('retry: 1000', 'retry: 0001'), 'latin1');
}

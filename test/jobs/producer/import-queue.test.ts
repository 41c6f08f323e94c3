import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type ImportJobData, importQueueName } from '../../../src/jobs/import-contract.ts';
import type { ImportEvent } from '../../../src/jobs/import-events.ts';
import { removeDeadUploads } from '../../../src/jobs/producer/dead-uploads.ts';
import { type ImportQueue, openImportQueue } from '../../../src/jobs/producer/import-queue.ts';
import { createUpload } from '../../../src/model/data/import/uploads.ts';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { openYard, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

async function open(claimMs = 30_000): Promise<{ yard: Yard; imports: ImportQueue }> {
  const yard = await openYard(url);
  const { prefix, redisUrl, queue } = yard;
  const imports = openImportQueue({ redisUrl, prefix, outage: queue.outage, claimMs });
  closeAfterTest(() => imports.close());
  return { yard, imports };
}

function openRedis({ redisUrl }: Yard): Redis {
  const redis = new Redis(redisUrl);
  closeAfterTest(async () => redis.disconnect());
  return redis;
}

/** The queue as BullMQ has it. */
function openJobs({ redisUrl, prefix }: Yard): Queue {
  const jobs = new Queue(importQueueName, { connection: { url: redisUrl }, prefix });
  closeAfterTest(() => jobs.close());
  return jobs;
}

function dataOf(name: string): ImportJobData {
  const request = { name, form: 'auto', testShare: 0.2, seed: 1 } as const;
  return { request, fileName: 'letters.zip', bytes: 10, requestId: 'test' };
}

describe('the queue of imports', () => {
  it('gives a name to one upload at a time, whoever asks at once', async () => {
    const { imports } = await open();
    const claims = await Promise.all(Array.from({ length: 10 }, () => imports.claim('letters')));
    const [id] = claims.filter((claim) => claim !== null);
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    expect(await imports.claim('others')).not.toBeNull();
    expect(await imports.find('letters')).toBeNull(); // not before the archive is there
    expect(await imports.drop('letters')).toBeNull();
    await imports.release('letters', id!);
    expect(await imports.claim('letters')).not.toBeNull();
  });

  it('holds the name from the upload to the end of the import', async () => {
    const { imports } = await open();
    const id = await imports.claim('letters');
    expect(await imports.add(id!, dataOf('letters'))).toBe(true);
    expect(await imports.claim('letters')).toBeNull();
    const job = { id, status: 'importing', progress: null, error: null, data: dataOf('letters') };
    expect(await imports.find('letters')).toMatchObject(job);
    expect(await imports.list()).toMatchObject([job]);
    expect(await imports.drop('letters')).toBe(id);
    expect([await imports.find('letters'), await imports.list()]).toEqual([null, []]);
    expect(await imports.claim('letters')).not.toBeNull();
  });

  it('frees the name of an upload whose server has died, and adds nothing for it', async () => {
    const { imports } = await open(300);
    const id = await imports.claim('letters');
    const other = await until(
      'a free name',
      () => imports.claim('letters'),
      (claim) => claim !== null,
    );
    expect(await imports.add(id!, dataOf('letters'))).toBe(false);
    await imports.release('letters', id!); // is not the holder any more
    expect(await imports.renew('letters', id!)).toBe(false);
    expect(await imports.add(other!, dataOf('letters'))).toBe(true);
    expect((await imports.find('letters'))?.id).toBe(other);
  });
});

describe('a claim that has run out', () => {
  it.each(['renewed', 'used'])('is taken back when it is %s, unless another has the name', async (how) => {
    const { imports } = await open(100);
    const id = await imports.claim('letters');
    await until(
      'the end of the claim',
      () => imports.isKnown(id!),
      (isKnown) => !isKnown,
    );
    const isRenewed = how === 'used' || (await imports.renew('letters', id!));
    expect(isRenewed).toBe(true);
    expect(await imports.add(id!, dataOf('letters'))).toBe(true);
    expect((await imports.find('letters'))?.id).toBe(id);
    expect(await imports.claim('letters')).toBeNull();
  });
});

describe('an import whose server dies while it is queued', () => {
  it('holds the name until its upload has run out, and is seen from the moment its job is there', async () => {
    const { yard, imports } = await open(300);
    const id = await imports.claim('letters');
    const redis = openRedis(yard);
    await redis.set(`${yard.prefix}:dataset:letters`, id!); // what is done before the job is added
    expect([await imports.claim('letters'), await imports.drop('letters')]).toEqual([null, null]);
    expect(await imports.find('letters')).toBeNull();
    await openJobs(yard).add('import', dataOf('letters'), { jobId: id! });
    expect(await imports.find('letters')).toMatchObject({ id, status: 'importing' });
    expect(await imports.list()).toHaveLength(1);
    expect(await imports.drop('letters')).toBe(id);
  });

  it('whose job was not added frees the name', async () => {
    const { yard, imports } = await open(100);
    const id = await imports.claim('letters');
    const redis = openRedis(yard);
    await redis.set(`${yard.prefix}:dataset:letters`, id!);
    const other = await until(
      'a free name',
      () => imports.claim('letters'),
      (claim) => claim !== null,
    );
    expect(await imports.add(other!, dataOf('letters'))).toBe(true);
  });
});

describe('the events of an import', () => {
  const typesOf = async (imports: ImportQueue, id: string) =>
    (await imports.events(id, 1, 100)).map((text) => (JSON.parse(text) as ImportEvent).type);

  it('end with what its worker had no time to tell', async () => {
    const { yard, imports } = await open();
    const id = await imports.claim('letters');
    expect(await imports.settle(id!)).toBe('unknown');
    await imports.add(id!, dataOf('letters'));
    expect([await imports.settle(id!), await typesOf(imports, id!)]).toEqual(['open', ['queued']]);
    const fail = async () => Promise.reject(new UnrecoverableError('DATASET_LABELS: expected more'));
    const worker = new Worker(importQueueName, fail, { connection: { url }, prefix: yard.prefix });
    closeAfterTest(() => worker.close());
    await until(
      'its end',
      () => imports.settle(id!),
      (state) => state === 'ended',
    );
    await imports.settle(id!); // tells it once
    const [, done] = await imports.events(id!, 1, 100);
    expect(JSON.parse(done!)).toEqual({
      type: 'done',
      at: expect.any(String),
      status: 'failed',
      report: null,
      error: { code: 'DATASET_LABELS', message: 'expected more' },
    });
    expect(await typesOf(imports, id!)).toEqual(['queued', 'done']);
  });

  it('live as long as its job, however long it waits', async () => {
    const { yard, imports } = await open();
    const id = await imports.claim('letters');
    await imports.add(id!, dataOf('letters'));
    const redis = openRedis(yard);
    const key = `${yard.prefix}:${importQueueName}:${id}:logs`;
    expect(await redis.ttl(key)).toBe(-1);
    expect(await imports.drop('letters')).toBe(id);
    expect(await redis.exists(key)).toBe(0);
  });
});

describe('an import that is no longer kept', () => {
  it('leaves nothing under its name', async () => {
    const { yard, imports } = await open(100);
    const id = await imports.claim('letters');
    await imports.add(id!, dataOf('letters'));
    const redis = openRedis(yard);
    const key = `${yard.prefix}:dataset:letters`;
    expect(await redis.get(key)).toBe(id);
    await openJobs(yard).remove(id!); // as when a hundred others have failed since
    await until(
      'the end of the upload',
      () => imports.isKnown(id!),
      (isKnown) => !isKnown,
    );
    expect(await imports.find('letters')).toBeNull();
    expect(await redis.get(key)).toBeNull();
    expect(await imports.drop('letters')).toBeNull();
  });
});

describe('names', () => {
  it('are forgotten with their imports, though nobody asks for them, and no others', async () => {
    const { yard, imports } = await open(100);
    const [redis, jobs] = [openRedis(yard), openJobs(yard)];
    const namesKept = async () =>
      (await redis.keys(`${yard.prefix}:dataset:*`)).map((key) => key.split(':').at(-1));
    const add = async (name: string) => {
      const id = await imports.claim(name);
      await imports.add(id!, dataOf(name));
      return id!;
    };
    const ids = [await add('waiting'), await add('pruned'), await add('dropped')];
    await imports.claim('abandoned');
    await jobs.remove(ids[1]!); // as when a hundred others have failed since
    await imports.drop('dropped');
    await until(
      'the end of the uploads',
      () => imports.isKnown(ids[1]!),
      (isKnown) => !isKnown,
    );
    await until('the end of the claim', namesKept, (names) => !names.includes('abandoned'));
    await imports.prune();
    expect(await namesKept()).toEqual(['waiting']);
    expect(await redis.smembers(`${yard.prefix}:dataset-names`)).toEqual(['waiting']);
    expect((await imports.find('waiting'))?.id).toBe(ids[0]);
  });

  it('of uploads under way are kept', async () => {
    const { yard, imports } = await open();
    await imports.claim('arriving');
    await imports.prune();
    expect(await openRedis(yard).smembers(`${yard.prefix}:dataset-names`)).toEqual(['arriving']);
    expect(await imports.claim('arriving')).toBeNull();
  });
});

describe('archives of dead uploads', () => {
  it('are removed, but neither of uploads under way nor of imports', async () => {
    const { yard, imports } = await open();
    const { dataDir } = yard;
    const ids = [
      await imports.claim('one'),
      await imports.claim('two'),
      '01a22a00-0000-7000-8000-000000000000',
    ];
    for (const id of ids) await writeFile((await createUpload(dataDir, id!)).archive, 'x');
    await imports.add(ids[1]!, dataOf('two'));
    await removeDeadUploads(imports, dataDir);
    const left = await readdir(join(dataDir, 'datasets', '.uploads'));
    expect(new Set(left)).toEqual(new Set(ids.slice(0, 2)));
  });
});

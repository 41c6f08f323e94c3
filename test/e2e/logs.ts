/** What the log of the whole service has of requests and jobs, at its most talkative: ids to follow, and no secrets. */
import { describe, expect, it } from 'vitest';
import { processesOf } from '../../harness/service.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { until } from '../jobs/until.ts';
import { keys, type Running } from './running.ts';

const [key] = keys;
const wrong = 'a-wrong-key-that-no-line-may-show';
const digit = await encodePng(imageAt(await readSplit('mnist', 'test'), 0), 28, 28);
const base64 = digit.toString('base64');

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}

export function describeLog(running: () => Running): void {
  describe('the log at LOG_LEVEL=trace', () => {
    const call = (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${key}`, ...(init.headers as Record<string, string>) };
      return fetch(new URL(path, running().address), { ...init, headers });
    };
    /** The last line may not be whole yet, and what two processes print at once may be mixed. */
    const logged = () => running().service.output().split('\n').slice(0, -1).flatMap(parseLine);

    it('has one id from the request to the end of its job, in the API and in the worker', async () => {
      const requestId = 'follow-me.1';
      const answer = await call('/jobs/train', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': requestId },
        body: JSON.stringify({
          trainImages: 320,
          testImages: 100,
          batchSize: 32,
          seed: 7,
          metadata: { note: 'a-note-that-no-line-may-show' },
        }),
      });
      expect(answer.headers.get('x-request-id')).toBe(requestId);
      const { id } = (await answer.json()) as TrainJob;
      const found = () => logged().filter((line) => line['requestId'] === requestId);
      const lines = await until(
        'the job to end',
        found,
        (all) => all.some(({ msg }) => msg === 'job done'),
        60_000,
      );
      await running().service.printed('model 1 is served');
      const told = lines.map(({ name, jobId, msg }) => [name, jobId, msg]);
      expect(told).toContainEqual(['server', id, 'job queued']);
      expect(told).toContainEqual(['server', undefined, 'answered']);
      expect(told).toContainEqual(['worker', id, 'epoch done']);
      expect(told).toContainEqual(['worker', id, 'job done']);
      await call(`/jobs/${id}`);
      const ofRead = { name: 'server', method: 'GET', route: '/jobs/:id', status: 200, jobId: id };
      const read = await until('the line of a read', logged, (all) =>
        all.some(({ route }) => route === ofRead.route),
      );
      expect(read.find(({ route }) => route === ofRead.route)).toMatchObject(ofRead);
      const ofJob = logged().filter(({ name, jobId }) => name === 'worker' && jobId === id);
      expect(ofJob.filter((line) => line['requestId'] !== requestId)).toEqual([]);
    });

    it('shows no image, no body, no query and no key, whatever way they come', async () => {
      const png = { 'content-type': 'image/png' };
      const json = { 'content-type': 'application/json' };
      const form = new FormData();
      form.append(
        'image',
        new Blob([new Uint8Array(digit)], { type: 'image/png' }),
        'a-name-that-no-line-may-show.png',
      );
      const predict = (headers: Record<string, string>, body: NonNullable<RequestInit['body']>) =>
        call('/predict', { method: 'POST', headers, body });
      const statuses = await Promise.all([
        predict(png, new Uint8Array(digit)),
        predict({}, form),
        predict(json, JSON.stringify({ image: base64 })),
        predict(json, `{"image": "${base64}`), // cut short
        predict(json, JSON.stringify({ image: base64, [base64]: base64 })),
        predict(png, base64),
        predict({ ...png, authorization: `Bearer ${wrong}` }, new Uint8Array(digit)),
        predict({ ...png, authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` }, base64),
        predict({ ...png, authorization: key }, base64),
        call('/admin/queues/', {
          headers: { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` },
        }),
        call(`/jobs?key=${key}&image=${base64}`),
        call(`/nowhere?key=${key}`),
        call(`/%?key=${key}`),
        call('/jobs/train', { method: 'POST', headers: json, body: JSON.stringify({ recipe: base64 }) }),
        call('/jobs', { headers: { cookie: `key=${key}`, 'x-api-key': key } }),
      ]).then((answers) => answers.map(({ status }) => status));
      expect(statuses).toEqual([200, 200, 200, 400, 400, 415, 401, 401, 401, 200, 400, 404, 400, 400, 200]);
      await until('their lines', logged, (all) => all.filter(({ msg }) => msg === 'answered').length >= 14);
      const output = running().service.output();
      for (const secret of [key, wrong, base64.slice(0, 24), base64.slice(40, 64), 'that-no-line-may-show'])
        expect(output).not.toContain(secret);
      expect(output).not.toContain(digit.toString('latin1', 40, 60));
      expect(output).not.toContain(Buffer.from(`x:${key}`).toString('base64'));
      expect(output).not.toMatch(/"type":"Buffer"|\b137,80,78,71\b/);
    });

    it('has the cause with every line of level error', async () => {
      const answer = await call('/jobs/train', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ epochs: 1000, trainImages: 640, testImages: 100 }),
      });
      const { id } = (await answer.json()) as TrainJob;
      const status = async () => ((await (await call(`/jobs/${id}`)).json()) as TrainJob).status;
      await until('the job to run', status, (now) => now === 'running'); // the trainer of another has ended by then
      const ofTrainer = () => processesOf(running().dataDir).find((line) => line.includes('trainer-process'));
      const trainer = await until('a trainer', ofTrainer, (line) => line !== undefined);
      process.kill(Number.parseInt(trainer!, 10), 'SIGKILL');
      const errorLines = () => logged().filter(({ level }) => Number(level) >= 50);
      const errors = await until('the crash to be told', errorLines, (lines) => lines.length > 0);
      await call(`/jobs/${id}/cancel`, { method: 'POST' });
      expect(errors.filter(({ err }) => err === undefined)).toEqual([]);
    });
  });
}

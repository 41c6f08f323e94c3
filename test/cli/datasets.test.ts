/** `trainyard datasets` beside the real API and a worker. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { makeZip } from '../../harness/zip.ts';
import type { Dataset, Job } from '../../src/client/index.ts';
import { type Service, startService } from '../client/service.ts';
import { digitPng, twoLabels } from '../model/data/import/importing.ts';
import { startParts } from '../routes/parts.ts';
import { temporaryDirectory } from '../temporary.ts';
import { call, run, start } from './run.ts';

let service: Service;
let archive: string;
beforeAll(async () => {
  service = await startService({ predicts: false });
  archive = join(await temporaryDirectory(), 'Two Labels.zip');
  await writeFile(
    archive,
    makeZip([
      ...twoLabels(20),
      { name: 'a/notes.png', data: Buffer.from('text') },
      { name: 'a/same.png', data: digitPng(0) },
    ]),
  );
});
afterAll(() => service?.close());

const command = (...args: string[]) => call([...args, '--url', service.url]);
const program = (...args: string[]) => run([...args, '--url', service.url]);

it('an archive is sent, imported and shown with its report, and is a data set until it is removed', async () => {
  const added = await program('datasets', 'add', archive, '--form', 'ink', '--test-share', '0.5', '--watch');
  expect(added.stderr).toMatch(/100 % {2}0\.0 of 0\.0 MB sent\n$/);
  expect(added.stdout).toMatch(/^two-labels +ready +ink +2 +20 +20$/m);
  expect(added.stdout).toContain('40 pictures accepted, 1 duplicates, 1 refused');
  expect(added.stdout).toMatch(/^a\/notes\.png: [A-Z_]+: expected .+, got .+$/m);
  expect(added.stdout).toMatch(/^a\/same\.png: duplicate of a\/0\.png$/m);
  expect(added.code).toBe(0);

  const listed = await command('datasets');
  expect(listed.stdout).toMatch(/^DATASET +STATUS +FORM +LABELS +TRAIN +TEST$/m);
  expect(listed.stdout).toMatch(/^mnist +ready +ink +10 +60000 +10000$/m);
  const shown = JSON.parse((await command('datasets', 'show', 'two-labels', '--json')).stdout) as Dataset;
  expect(shown).toMatchObject({ name: 'two-labels', status: 'ready', labels: ['a', 'b'] });

  const again = await command('datasets', 'add', archive);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('which a data set has');
  const removed = await program('datasets', 'remove', 'two-labels');
  expect(removed).toMatchObject({ code: 0, stdout: 'data set two-labels is removed\n' });
  expect((await command('datasets', 'show', 'two-labels')).code).toBe(1);
});

it('an import that fails says why, and ends with 1', async () => {
  await writeFile(archive, gzipSync('no tar'));
  const { code, stdout } = await program('datasets', 'add', archive, '--name', 'wrong', '--watch');
  expect(stdout).toMatch(/^wrong +failed: ARCHIVE_TYPE_UNKNOWN/m);
  expect(code).toBe(1);
  await writeFile(archive, 'no archive');
  const refused = await program('datasets', 'add', archive, '--name', 'text', '--watch');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('a tar.gz, got text') });
  const absent = await command('datasets', 'add', join(archive, '..', 'absent.zip'));
  expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') });
});

it('an import goes on when a person looks no longer', async () => {
  const parts = await startParts({ predicts: false }); // without a worker, so that it waits
  onTestFinished(() => parts.close());
  const url = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  await writeFile(archive, makeZip(twoLabels(2)));
  const added = start(['datasets', 'add', archive, '--name', 'waiting', '--watch', '--url', url]);
  await added.printed('waits for a worker');
  added.child.kill('SIGINT');
  const { code, stderr } = await added.ended;
  expect(code).toBe(130);
  expect(stderr).toContain('the import goes on: "npx trainyard datasets show waiting" shows it');
  expect((await parts.app.inject('/datasets/waiting')).json()).toMatchObject({ status: 'importing' });
});

it('a training takes its data set, network and patience from options', async () => {
  const options = [
    '--dataset',
    'mnist',
    '--network',
    'small',
    '--passes',
    '2',
    '--patience',
    '3',
    '--balance',
  ];
  const { stdout } = await command('train', ...options, '--json');
  const { id, request } = JSON.parse(stdout) as Job;
  expect(request).toMatchObject({
    dataset: 'mnist',
    network: 'small',
    passes: 2,
    patience: 3,
    balance: true,
  });
  await command('cancel', id);
});

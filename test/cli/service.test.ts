/** Each command beside the real API and a worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddedCorrection, Correction, Job, Model, NumberedEvent } from '../../src/client/index.ts';
import { type Service, startService } from '../client/service.ts';
import { temporaryDirectory } from '../temporary.ts';
import { call, run, start } from './run.ts';

let service: Service;
let digit: string;
beforeAll(async () => {
  service = await startService();
  await service.parts.publishAndServe();
  digit = join(await temporaryDirectory(), 'digit.png');
  const image = await fetch(`${service.url}/datasets/mnist/test/0.png`);
  await writeFile(digit, Buffer.from(await image.arrayBuffer()));
});
afterAll(() => service?.close());

const small = ['--train-images', '320', '--test-images', '100', '--batch-size', '32', '--seed', '7'];
const command = (...args: string[]) => call([...args, '--url', service.url]);
const program = (...args: string[]) => run([...args, '--url', service.url]);

describe('train --watch, and watch afterwards', () => {
  it('write plain lines in a pipe until the job has succeeded, or one event a line', async () => {
    const { code, stdout, stderr } = await program('train', ...small, '--watch');
    expect(stdout).toContain('training mnist, recipe "default", on ');
    expect(stdout).toMatch(/^\[█+\] 100 % {2}epoch 1\/1 {2}step 10\/10 {2}loss /m);
    expect(stdout).toMatch(/^epoch 1: \d+\.\d\d % of the test images right, loss \d/m);
    expect(stdout).toMatch(/\nmodel 2 is published and answers from now on.*\nsucceeded\n$/);
    expect(stdout).not.toContain('\u001B');
    expect(code).toBe(0);

    const [, id] = /^job (\S+)\n$/.exec(stderr)!;
    const json = await program('watch', id!, '--json');
    const events = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as NumberedEvent);
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'succeeded' });
    expect(json.code).toBe(0);
  });
});

describe('train, jobs, cancel and watch', () => {
  it('give a job a name to others, end it, and say that it did not succeed', async () => {
    const options = ['--epochs', '1000', '--learning-rate', '0.001', '--augment', '--no-shuffle'];
    const queued = await command('train', ...small, ...options, '--json');
    const { id, request } = JSON.parse(queued.stdout) as Job;
    expect(request).toMatchObject({
      epochs: 1000,
      learningRate: 0.001,
      augment: true,
      shuffle: false,
      seed: 7,
    });

    const watching = start(['watch', id, '--url', service.url]);
    await watching.printed('training mnist');
    const cancelled = await command('cancel', id);
    expect(cancelled).toEqual({ code: 0, stdout: `job ${id}: ends within 2 s\n`, stderr: '' });
    const { code, stdout } = await watching.ended;
    expect(stdout).toMatch(/\ncancelled\n$/);
    expect(code).toBe(1);

    const again = await command('cancel', id);
    expect(again.stdout).toBe(`job ${id}: cancelled\n`);
    const { stdout: listed } = await command('jobs', '--status', 'cancelled');
    const [head, ...rows] = listed.trimEnd().split('\n');
    expect(head).toMatch(/^JOB +STATUS +RECIPE +DONE +ACCURACY +MODEL +AGE +ERROR$/);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(new RegExp(`^${id} {2}cancelled {2}default `));
  });
});

describe('lists', () => {
  it('of models show which one serves, and are the answer itself with --json', async () => {
    const text = await command('models');
    expect(text.stdout).toMatch(/^VERSION {2}MODEL {2}ALIASES {3}ACCURACY {2}/);
    expect(text.stdout).toContain('  mnist  champion  ');
    const json = await command('models', '--json', '--limit', '1');
    expect((JSON.parse(json.stdout) as Model[]).map(({ format }) => format)).toEqual([1]);
  });

  it('end quietly when their reader does', async () => {
    const shell = `"${process.execPath}" dist/cli.js jobs --url ${service.url} | head -c 3; sleep 0`;
    const child = spawn('sh', ['-c', shell]);
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => output.push(String(chunk)));
    await once(child, 'close');
    expect(output.join('')).toBe('JOB');
  });
});

describe('predict', () => {
  it('reads files and the standard input, and says which can’t be read', async () => {
    const absent = join(digit, '..', 'absent.png');
    const text = join(digit, '..', 'text.png');
    await writeFile(text, 'hello');
    const { code, stdout, stderr } = await program('predict', digit, text, absent, digit);
    expect(stdout).toMatch(
      new RegExp(`^(?:${digit} {2}\\d {2}\\d+\\.\\d\\d % {2}(?:known|unsure|unknown)\n){2}$`),
    );
    expect(stderr).toMatch(
      new RegExp(`^${text}: expected .*\n${absent}: expected a picture file, got: ENOENT`),
    );
    expect(code).toBe(1);
  });

  it('gives one JSON value, of what failed as well', async () => {
    const { child, ended } = start(['predict', '-', 'package.json', '--json', '--url', service.url]);
    const image = await fetch(`${service.url}/datasets/mnist/test/1.png`);
    child.stdin.end(Buffer.from(await image.arrayBuffer()));
    const { code, stdout } = await ended;
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ file: '-', probabilities: expect.any(Array) }),
      { file: 'package.json', error: expect.objectContaining({ code: 'IMAGE_TYPE_UNSUPPORTED' }) },
    ]);
    expect(code).toBe(1);
  });
});

describe('export', () => {
  it('writes a file, and says which', async () => {
    const output = join(digit, '..', 'own.onnx');
    const { code, stdout, stderr } = await program('export', '1', '--format', 'onnx', '--output', output);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`model 1 is written to ${output} (0.5 MB)\n`);
    const answer = await fetch(`${service.url}/models/1/export?format=onnx`);
    const file = await readFile(output);
    expect(file.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
    const card = await command('export', '1', '--format', 'card', '--output', output, '--json');
    expect(JSON.parse(card.stdout)).toMatchObject({ version: 1, format: 'card', file: output });
    expect(await readFile(output, 'utf8')).toMatch(/^# mnist, version 1\n/);
  });

  it('writes nothing where it fails', async () => {
    const output = join(digit, '..', 'none.onnx');
    const absent = await command('export', '999999', '--format', 'onnx', '--output', output);
    expect([absent.code, absent.stdout, absent.stderr]).toEqual([
      1,
      '',
      'expected a version in GET /models, got 999999\n',
    ]);
    await expect(readFile(output)).rejects.toThrow('ENOENT');
    const folder = await command('export', '1', '--format', 'onnx', '--output', join(digit, '..'));
    expect([folder.code, folder.stderr]).toEqual([1, expect.stringContaining('EISDIR')]);
    expect((await command('export', '1')).code).toBe(2);
    expect((await command('export', '1', '--format', 'pickle')).code).toBe(2);
  });
});

describe('correct, and train --corrections', () => {
  it('say what a picture shows, and learn from it', async () => {
    const kept = await command('correct', digit, '7');
    expect(kept.stdout).toMatch(/^correction [0-9a-f]{32}: 7, was read as \d\n$/);
    expect((await command('correct', digit, '7')).stdout).toBe(kept.stdout);
    const conflict = await command('correct', digit, 'none');
    expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringContaining('expected label "7"')]);
    const wrong = await command('correct', digit, 'seven');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('expected a label of the model, "0", "1"'),
    ]);
    const missing = await command('correct', `${digit}.gone`, '7');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('expected a picture file')]);
    const { stdout } = await command('train', ...small, '--corrections', '--json');
    const { id, request } = JSON.parse(stdout) as Job;
    expect(request.corrections).toMatch(/^[0-9a-f]{64}$/);
    expect((await command('cancel', id)).code).toBe(0);
  });
});

describe('correct, with two digits in the picture', () => {
  it('says that there are several', async () => {
    const pair = join(await temporaryDirectory(), 'pair.png');
    const one = await sharp(digit).resize(112).toBuffer();
    const canvas = sharp({ create: { width: 300, height: 180, channels: 3, background: 'black' } });
    await canvas.composite([40, 150].map((left) => ({ input: one, left, top: 30 }))).toFile(pair);
    const { code, stdout, stderr } = await command('correct', pair, 'none');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^correction [0-9a-f]{32}: none of the labels/);
    expect(stderr).toMatch(/pair\.png: SEVERAL_SHAPES: expected one character, saw several/);
    const said = JSON.parse((await command('correct', pair, 'none', '--json')).stdout) as AddedCorrection;
    expect(said.warnings?.map((warning) => warning.code)).toContain('SEVERAL_SHAPES');
  });
});

describe('corrections', () => {
  it('lists them, newest first, and removes them', async () => {
    expect((await command('corrections', '--model', 'letters')).stderr).toContain('no corrections');
    await command('correct', digit, '7');
    const all = JSON.parse((await command('corrections', '--json')).stdout) as Correction[];
    expect(all.map(({ label }) => label)).toContain('7');
    const { stdout } = await command('corrections');
    expect(stdout).toMatch(/^ID +MODEL +SHOWS +READ AS +SURE +VERSION +AGE\n/);
    expect(stdout.trim().split('\n')).toHaveLength(1 + all.length);
    const first = await command('corrections', 'list', '--limit', '1');
    expect(first.stdout).toContain(all[0]!.id);
    expect(first.stderr).toBe(all.length > 1 ? 'there are more: --limit\n' : '');

    const ids = all.map(({ id }) => id);
    const removed = await command('corrections', 'remove', ...ids);
    expect(removed.stdout).toBe(ids.map((id) => `correction ${id} is removed\n`).join(''));
    const again = await command('corrections', 'remove', ids[0]!);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(ids[0]!)]);
    expect((await command('corrections', 'remove')).code).toBe(2);
    expect(JSON.parse((await command('corrections', '--json')).stdout)).toEqual([]);
  });
});

describe('registry', () => {
  it('shows which version answers, moves aliases, shares traffic, rolls back, and keeps the history', async () => {
    const version = await service.parts.publishAndServe();
    const other = String(version - 1);
    const shown = await command('registry');
    expect(shown.stdout).toMatch(/^MODEL {2}ALIAS {5}VERSION {2}TRAFFIC +AGE {2}BY +REASON/);
    expect(shown.stdout).toMatch(new RegExp(`\\nmnist +champion +${version} +100 % `));
    const moved = await command('registry', 'alias', 'mnist', 'challenger', other, '--reason', 'to compare');
    expect(moved.stdout).toMatch(new RegExp(`\\nmnist +challenger +${other} +0 % .*to compare`));
    const shared = await command('registry', 'traffic', 'mnist', 'champion=90', 'challenger=10');
    expect(shared.stdout).toMatch(/champion .* 90 % [\s\S]*challenger .* 10 % /);
    const pinned = await command('predict', digit, '--pin', other, '--json');
    expect(JSON.parse(pinned.stdout)).toMatchObject([{ model: { version: Number(other), alias: null } }]);
    await command('registry', 'promote', 'mnist', other, '--reason', 'better');
    const back = await command('registry', 'rollback', 'mnist', '--json');
    expect(JSON.parse(back.stdout)).toMatchObject({ aliases: { champion: { version } } });
    const inUse = await command('registry', 'remove', 'mnist', 'challenger');
    expect(inUse).toMatchObject({ code: 1, stderr: expect.stringContaining('"challenger" has 10 %') });
    await command('registry', 'traffic', 'mnist', 'champion=100');
    expect((await command('registry', 'remove', 'mnist', 'challenger')).stdout).toBe(
      'challenger of mnist is removed\n',
    );
    const history = await command('registry', 'history', 'mnist', '--limit', '2');
    expect(history.stdout).toMatch(/challenger removed[\s\S]*traffic: /);

    const whole = await command('registry', 'history', 'mnist');
    expect(whole.stdout).toMatch(/champion \d+ → \d+ \(rolledBack\)/);
    expect(whole.stdout).toContain('traffic: champion 90 %, challenger 10 %');
  });

  it('says in the words of the server what is wrong', async () => {
    const [unknown, share] = await Promise.all([
      command('registry', 'rollback', 'nope'),
      command('registry', 'traffic', 'mnist', 'champion=50'),
    ]);
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected a model in GET /registry'),
    });
    expect(share).toMatchObject({ code: 1, stderr: expect.stringContaining('100 in all') });
    expect((await command('registry', 'promote', 'mnist', 'two')).code).toBe(2);
  });
});

describe('what the server refuses', () => {
  it('is said in its words', async () => {
    const [unknown, invalid] = await Promise.all([
      program('watch', 'nobody'),
      command('train', '--epochs', '0'),
    ]);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toMatch(/^expected the id of a job in GET \/jobs, got "nobody"/);
    expect(invalid).toMatchObject({ code: 1, stdout: '' });
    expect(invalid.stderr).toMatch(/^in the request's body: epochs: .*, got 0\n$/);
  });
});

/** `npm start` with API_KEY: the launcher has a key, what it prints works with one, and no key is printed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { repository } from '../setup/checkout.ts';
import { keys, type Running } from './running.ts';

const API_KEY = keys.join(',');

export function describeKeys(running: () => Running): void {
  describe('the service with two keys', () => {
    it('prints commands that work in a shell that knows API_KEY, and not in one that does not', async () => {
      const { service, dataDir, address } = running();
      const commands = [...service.output().matchAll(/^ {2}(curl .*)$/gm)].map(([, command]) => command!);
      expect(commands).toHaveLength(3);
      for (const command of commands) {
        const withStatus = `${command.replace(/^curl/, "curl -w '%{http_code}' --max-time 10")} | tail -c 3`;
        const run = (env: NodeJS.ProcessEnv) =>
          execFileSync('sh', ['-c', withStatus], {
            cwd: dataDir,
            encoding: 'utf8',
            env: { ...process.env, ...env },
          });
        expect(run({ API_KEY: 'a-key-of-another-service' }), command).toBe('401');
        expect(['200', '202', '503'], command).toContain(run({ API_KEY })); // 503: there is no model
      }
      await cancelJobs(address); // one of the commands has queued a training
    });

    it('prints a command of the command line that works likewise', () => {
      const [, command] = /^ {2}(npx trainyard .*)$/m.exec(running().service.output())!;
      const run = (env: NodeJS.ProcessEnv) =>
        spawnSync('sh', ['-c', command!], {
          cwd: repository,
          encoding: 'utf8',
          env: { ...process.env, ...env },
        });
      expect(run({ API_KEY: 'a-key-of-another-service' })).toMatchObject({ status: 1 });
      expect(run({ API_KEY })).toMatchObject({ status: 0 });
    });

    it('prints no key, at whatever level', () => {
      const { service } = running();
      expect(service.output()).toContain('"answered"');
      for (const key of keys) expect(service.output()).not.toContain(key);
    });
  });
}

async function cancelJobs(address: string): Promise<void> {
  const headers = { authorization: `Bearer ${keys[0]}` };
  const answer = await fetch(`${address}/jobs`, { headers });
  const { data } = (await answer.json()) as { data: { id: string }[] };
  expect(data).toHaveLength(1);
  for (const { id } of data) await fetch(`${address}/jobs/${id}/cancel`, { method: 'POST', headers });
}

/** `npm start` with API_KEY: the launcher has a key, what it prints works with one, and no key is printed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Service, startService } from '../../harness/service.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

const API_KEY = 'a-key-of-some-length,another-key-of-some-length';

describe('the service with two keys', () => {
  let dataDir: string;
  let service: Service;

  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    const environment = {
      API_KEY,
      HOST: '0.0.0.0',
      FIRST_MODEL: 'false',
      LOG_LEVEL: 'trace',
      RATE_LIMIT: '100',
    };
    service = await startService(dataDir, environment);
    await service.printed('Ctrl-C stops', 60_000);
  }, 120_000);

  afterAll(async () => {
    await service?.end();
  });

  it('prints commands that work in a shell that knows API_KEY, and not in one that does not', () => {
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
  });

  it('prints a command of the command line that works likewise', () => {
    const [, command] = /^ {2}(npx trainyard .*)$/m.exec(service.output())!;
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
    expect(service.output()).toContain('"answered"');
    expect(service.output()).not.toContain('key-of-some-length');
  });
});

describe('HOST without a key', () => {
  it('is refused at start where other hosts can reach it, with what to set', async () => {
    const start = startService(await temporaryDirectory(), { HOST: '0.0.0.0', API_KEY: '' });
    onTestFinished(async () => void (await (await start.catch(() => null))?.end()));
    await expect(start).rejects.toThrow(
      /CONFIG_INVALID[\s\S]*HOST=0\.0\.0\.0.*API_KEY.*ALLOW_ANONYMOUS=true/,
    );
  });
});

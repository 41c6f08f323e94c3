/**
 * A machine whose environment names a proxy that Node is to use: loopback is asked directly all the same, by the
 * launcher, the command line and the health check; another host by way of the proxy.
 */
import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { repository } from '../setup/checkout.ts';
import { keys, type Running } from './running.ts';

const readsProxies = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
const noProxies = `Node ${process.versions.node} reads no HTTP_PROXY: 22.21, 24 and newer do`;

type Ended = { readonly code: number; readonly output: string };

export function describeProxy(running: () => Running): void {
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => {
    const { environment } = running().proxy;
    const options = { cwd: repository, env: { ...process.env, ...environment, API_KEY: keys[0], ...env } };
    return new Promise((resolve) => {
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
  };
  const asked = () => running().proxy.asked;

  describe('behind a proxy', () => {
    it('the launcher asks its server directly', () => {
      if (!readsProxies) console.log(`${noProxies}; that loopback is asked directly is no surprise here`);
      expect(running().service.output()).toContain('Ctrl-C stops');
      expect(asked()).toEqual([]);
    });

    it.each(['127.0.0.1', 'localhost'])('the command line asks %s directly', async (host) => {
      const url = running().address.replace('127.0.0.1', host);
      for (const lowerCase of [undefined, 'other.example']) {
        const environment = { no_proxy: lowerCase, TRAINYARD_URL: url };
        expect(await run(['scripts/trainyard.mjs', 'jobs'], environment)).toEqual({
          code: 0,
          output: 'no jobs\n',
        });
      }
      expect(asked()).toEqual([]);
    });

    it('the health check asks directly', async () => {
      const { port: PORT } = new URL(running().address);
      const answer = await run(['docker/healthcheck.mjs', 'server'], { PORT });
      expect(answer).toEqual({ code: 0, output: 'answers\n' });
      expect(asked()).toEqual([]);
    });

    it('the command line asks another host by way of the proxy, or directly where NO_PROXY says so', async ({
      skip,
    }) => {
      if (!readsProxies) {
        console.log(`${noProxies}: not tried`);
        skip();
      }
      expect(await run(['dist/cli.js', 'jobs', '--url', 'http://trainyard.example'])).toMatchObject({
        code: 1,
      });
      expect(asked().splice(0)).toEqual([expect.stringContaining('trainyard.example')]);
      const other = await run(['dist/cli.js', 'jobs', '--url', 'http://intranet.example']);
      expect(other).toMatchObject({ code: 1 });
      expect(asked()).toEqual([]);
    });
  });
}

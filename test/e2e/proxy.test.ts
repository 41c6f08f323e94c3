/**
 * A machine whose environment names a proxy that Node is to use: loopback is asked directly all the same, by the
 * launcher, the command line and the health check; another host by way of the proxy.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../../harness/service.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

const readsProxies = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
const noProxies = `Node ${process.versions.node} reads no HTTP_PROXY: 22.21, 24 and newer do`;

const asked: string[] = [];
let proxied: NodeJS.ProcessEnv;
let service: Service;
beforeAll(async () => {
  if (!readsProxies) console.log(`${noProxies}; that loopback is asked directly is no surprise here`);
  const proxy = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(502).end();
  });
  proxy.on('connect', (request, socket) => {
    asked.push(request.url!);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1').unref();
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  const urls = Object.fromEntries(names.map((name) => [name, url]));
  proxied = { ...urls, NODE_USE_ENV_PROXY: '1', NO_PROXY: 'intranet.example', no_proxy: undefined };
  const command = { program: process.execPath, args: ['dist/start.js'], cwd: repository };
  const environment = { ...proxied, FIRST_MODEL: 'false', ENGINE: 'wasm' };
  service = await startService(await temporaryDirectory(), environment, command);
  await service.printed('Ctrl-C stops', 60_000);
}, 90_000);
afterAll(async () => {
  await service?.end();
});

type Ended = { readonly code: number; readonly output: string };

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { cwd: repository, env: { ...process.env, ...proxied, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe('behind a proxy', () => {
  it('the launcher asks its server directly', () => {
    expect(service.output()).toContain('Ctrl-C stops');
    expect(asked).toEqual([]);
  });

  it.each(['127.0.0.1', 'localhost'])('the command line asks %s directly', async (host) => {
    const url = service.address.replace('127.0.0.1', host);
    for (const lowerCase of [undefined, 'other.example']) {
      const environment = { no_proxy: lowerCase, TRAINYARD_URL: url };
      expect(await run(['scripts/trainyard.mjs', 'jobs'], environment)).toEqual({
        code: 0,
        output: 'no jobs\n',
      });
    }
    expect(asked).toEqual([]);
  });

  it('the health check asks directly', async () => {
    const { port: PORT } = new URL(service.address);
    const answer = await run(['docker/healthcheck.mjs', 'server'], { PORT });
    expect(answer).toEqual({ code: 0, output: 'answers\n' });
    expect(asked).toEqual([]);
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
    expect(asked.splice(0)).toEqual([expect.stringContaining('trainyard.example')]);
    expect(await run(['dist/cli.js', 'jobs', '--url', 'http://intranet.example'])).toMatchObject({ code: 1 });
    expect(asked).toEqual([]);
  });
});

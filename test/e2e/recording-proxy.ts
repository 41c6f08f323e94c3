/** A proxy that answers 502, and notes what it is asked. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RecordingProxy = {
  readonly asked: string[]; // URLs
  /** Names the proxy in each way that programs know, and has Node use it. */
  readonly environment: NodeJS.ProcessEnv;
};

export async function startProxy(): Promise<RecordingProxy> {
  const asked: string[] = [];
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
  const exceptions = { NO_PROXY: 'intranet.example', no_proxy: undefined };
  return { asked, environment: { ...urls, ...exceptions, NODE_USE_ENV_PROXY: '1' } };
}

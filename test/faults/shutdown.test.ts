/** A server process that is asked to end while a client is in the middle of something. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startServer } from './server.ts';

const server = await startServer();

it('ends orderly on SIGTERM while an upload hangs half-way, and answers it', async () => {
  const { port, host } = server.address;
  const socket = connect(Number(port), '127.0.0.1');
  const head = `POST /predict HTTP/1.1\r\nHost: ${host}\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n`;
  socket.write(`${head}Expect: 100-continue\r\n\r\nhalf`);
  await once(socket, 'data'); // 100 Continue: the server reads the body
  const ended = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/HTTP\/1.1 503 /);
  expect(answer.toLowerCase()).toContain('connection: close');
  expect(await ended).toEqual([0, null]);
  expect(server.output()).not.toMatch(/"level":(?:50|60)/);
});

import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { goneWith } from '../../../src/routes/http/client-gone.ts';
import { closeAfterTest } from '../../closing.ts';

/** A server whose handler asks after its client, once it has disconnected where `isLate`. Emits `started`, then `told`. */
async function open(isLate: boolean) {
  const app = Fastify();
  closeAfterTest(() => app.close());
  const news = new EventEmitter();
  app.post('/', async (_request, reply) => {
    const closed = once(reply.raw, 'close');
    news.emit('started');
    if (isLate) await closed;
    const { signal } = goneWith(reply);
    await closed;
    news.emit('told', signal.aborted);
    return reply.hijack();
  });
  await app.listen({ port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { port, news };
}

it.each([false, true])('tells of a client that disconnects, also afterwards (%s)', async (isLate) => {
  const { port, news } = await open(isLate);
  const [started, told] = [once(news, 'started'), once(news, 'told')];
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
  await started;
  socket.destroy();
  expect(await told).toEqual([true]);
});

it('says nothing of one that has got its answer', async () => {
  const app = Fastify();
  closeAfterTest(() => app.close());
  let signal: AbortSignal | undefined;
  app.get('/', async (_request, reply) => {
    ({ signal } = goneWith(reply));
    return 'here';
  });
  const address = await app.listen({ port: 0 });
  const response = await fetch(address, { headers: { connection: 'close' } });
  expect(await response.text()).toBe('here');
  expect(signal?.aborted).toBe(false);
});

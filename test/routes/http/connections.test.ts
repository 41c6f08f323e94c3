/** How long connections stay open, and how they end. */
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { registerBodies } from '../../../src/routes/http/bodies.ts';
import { closeConnectionsOnShutdown, connectionOptions } from '../../../src/routes/http/connections.ts';
import { handleError } from '../../../src/routes/http/problem.ts';
import { readWhole } from '../../../src/routes/http/received-body.ts';
import { isLong } from '../../long.ts';
import { buildQuietApp } from '../quiet-app.ts';

async function listen(options: Parameters<typeof buildQuietApp>[0] = {}) {
  const app = await buildQuietApp(options);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, port: (app.server.address() as AddressInfo).port };
}

const rounds = isLong ? 10 : 4; // of a race
const request = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** What a socket receives until the server closes it. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('an idle connection', () => {
  it('stays open for 75 s by default, longer than balancers keep theirs, and no other limit is shorter', async () => {
    const { app } = await listen({ access: { keepAliveSeconds: 75 } });
    expect(app.server.keepAliveTimeout).toBe(75_000);
    expect(app.server.timeout).toBeGreaterThan(75_000);
    await app.close();
  });

  it('stays open as long as KEEP_ALIVE_SECONDS says, which the answer tells', async () => {
    const { app, port } = await listen({ access: { keepAliveSeconds: 120 } });
    expect(app.server.timeout).toBeGreaterThan(120_000);
    const agent = new Agent({ keepAlive: true });
    const [answer] = await once(get({ port, path: '/health/live', agent }), 'response');
    answer.resume();
    expect(answer.headers['keep-alive']).toBe('timeout=120');
    agent.destroy();
    await app.close();
  });
});

describe('a large body that no route wants', () => {
  it.each([
    ['OPTIONS /jobs', 405],
    ['POST /nowhere', 404],
    ['GET /health/live', 200],
    [`GET /jobs/${'x'.repeat(200)}`, 414],
    ['GET /jobs/%zz', 400],
  ])(
    'is read before the connection is closed, so that it does not cost the client the answer to %s',
    async (line, status) => {
      const { app, port } = await listen();
      const connected = once(app.server, 'connection') as Promise<[Socket]>;
      const socket = connect(port, '127.0.0.1');
      const body = 'x'.repeat(4_000_000);
      socket.write(
        `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const [accepted] = await connected;
      const [answer] = await Promise.all([received(socket), once(accepted, 'close')]);
      expect(accepted.bytesRead).toBeGreaterThan(body.length);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      await app.close();
    },
  );
});

/** Most of these wait for a deadline: side by side, they wait once. */
describe.concurrent('when the server closes', () => {
  it.each([
    ['that was just opened', async () => {}],
    [
      'that has been used before',
      async (socket: Socket) => {
        socket.write(request);
        await once(socket, 'data');
      },
    ],
  ])('a request on its way is answered, on a connection %s', async (_which, before) => {
    const closeDuringRequest = async (isSoonest: boolean) => {
      const { app, port } = await listen();
      const socket = await open(port);
      await before(socket);
      // Nearer to the close, or a little after it has begun.
      const closed = isSoonest ? closeNow(app) : Promise.resolve().then(() => closeNow(app));
      socket.write(request);
      const answer = await received(socket);
      expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
      expect(answer.toLowerCase()).toContain('connection: close');
      await closed;
    };
    await Promise.all(Array.from({ length: rounds }, (_, round) => closeDuringRequest(round % 2 === 0)));
  });

  it('a connection whose answer began before and ends after it is closed then', async () => {
    const app = Fastify(connectionOptions(75));
    closeConnectionsOnShutdown(app);
    app.get('/large', (_request, reply) =>
      reply.send(Readable.from(Array<Buffer>(50).fill(Buffer.alloc(1_000_000)))),
    );
    await app.listen({ host: '127.0.0.1', port: 0 });
    const socket = await open((app.server.address() as AddressInfo).port);
    socket.write('GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await once(socket, 'readable'); // and nothing is read: most of the answer waits
    const closed = app.close();
    const answer = await received(socket);
    expect(answer.length).toBeGreaterThan(50_000_000);
    await closed;
  });

  const form = 'multipart/form-data; boundary=b';
  it.each([
    ['POST /predict', 'image/png', 'Content-Length: 1000', 'half'],
    ['POST /predict', form, 'Content-Length: 1000', '--b\r\n'],
    ['POST /predict', 'application/json', 'Transfer-Encoding: chunked', '4\r\nhalf\r\n'],
    ['POST /predict', 'image/png', 'Content-Encoding: gzip\r\nContent-Length: 1000', 'half'],
    ['POST /jobs/train', 'application/json', 'Content-Length: 1000', '{'],
    ['POST /jobs/train', 'text/plain', 'Content-Length: 1000', ' '],
  ])('an upload that hangs is refused: %s as %s', async (line, type, length, begin) => {
    const { app, port } = await listen();
    const socket = await open(port);
    const arrived = once(app.server, 'request');
    socket.write(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\n${length}\r\n\r\n${begin}`);
    await arrived;
    const closed = app.close();
    const answer = await received(socket);
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).toContain('"code":"CLOSING"');
    await closed;
  });

  const hanging = `${request.slice(0, -2)}Content-Length: 9\r\n\r\nhalf`; // answered before all of it has come
  it.each([
    ['a request that hangs in its headers', request, 'GET / HTTP/1.1\r\nHost'],
    ['a body that hangs and that no route reads', hanging, ''],
  ])('%s, on a connection with an answer, is refused', async (_which, first, next) => {
    const { app, port } = await listen();
    const socket = await open(port);
    socket.write(first);
    await once(socket, 'data');
    socket.write(next);
    const answer = received(socket);
    await app.close();
    expect(await answer).toMatch(/^HTTP\/1.1 408 /);
  });

  describe('with limits of the test', () => {
    const limits = { onTheirWay: 10, silence: 400, arrival: 800, answer: 1200 };
    /** Answers a POST with the length of its body, and `GET /never` never. */
    const listenWithin = async () => {
      const app = Fastify(connectionOptions(75));
      registerBodies(app);
      app.setErrorHandler(handleError);
      closeConnectionsOnShutdown(app, limits);
      app.addContentTypeParser('image/png', (upload: FastifyRequest, payload: Readable) =>
        readWhole(upload, payload, null, 1000),
      );
      app.post('/', async ({ body }) => ({ length: (body as Buffer).length }));
      app.get('/never', () => new Promise(() => {}));
      const closing = new Promise<void>((resolve) => app.addHook('preClose', async () => resolve()));
      await app.listen({ host: '127.0.0.1', port: 0 });
      const socket = await open((app.server.address() as AddressInfo).port);
      const post = () =>
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n');
      return { app, socket, post, closing };
    };

    it('an upload that goes on is answered', async () => {
      const { app, socket, post, closing } = await listenWithin();
      const arrived = once(app.server, 'request');
      post();
      await arrived;
      const closed = app.close();
      await closing;
      socket.write('x'.repeat(100));
      expect(await received(socket)).toContain('{"length":100}');
      await closed;
    });

    it('an upload that takes its time is refused', async () => {
      const { app, socket, post } = await listenWithin();
      const arrived = once(app.server, 'request');
      post();
      await arrived;
      const closed = app.close();
      const trickle = setInterval(() => socket.write('x'), 20);
      expect(await received(socket)).toMatch(/^HTTP\/1.1 503 /);
      clearInterval(trickle);
      await closed;
    });

    it('a connection whose answer does not come is closed', async () => {
      const { app, socket } = await listenWithin();
      const arrived = once(app.server, 'request');
      socket.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
      await arrived;
      const closed = app.close();
      expect(await received(socket)).toBe('');
      await closed;
    });
  });

  it('connections that nothing comes on are closed soon, without a reset', async () => {
    const { app, port } = await listen();
    const sockets = await Promise.all([open(port), open(port)]);
    sockets[1].write(request);
    await once(sockets[1], 'data');
    await app.close();
    expect(await Promise.all(sockets.map(received))).toEqual(['', '']); // ended, or this would throw
  });
});

function closeNow(app: FastifyInstance): Promise<void> {
  return app.close();
}

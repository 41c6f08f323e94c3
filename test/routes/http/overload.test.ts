/** Clients that are slow, that stop, that go away and that send too much, on real connections. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setInterval as every, setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { until } from '../../jobs/until.ts';
import { predictorPid } from '../../model/serving/processes.ts';
import { type Parts, startParts } from '../parts.ts';

const digit = await encodePng(imageAt(await readSplit('mnist', 'test'), 0), 28, 28);
const requestTimeoutMs = 100;

let parts: Parts;
let address: AddressInfo;
let buildTimes: { headersTimeout: number; requestTimeout: number };
beforeAll(async () => {
  parts = await startParts();
  const { headersTimeout, requestTimeout } = parts.app.server;
  buildTimes = { headersTimeout, requestTimeout };
  await parts.publishAndServe();
  await parts.app.listen({ host: '127.0.0.1', port: 0 });
  address = parts.app.server.address() as AddressInfo;
});
afterAll(() => parts.close());

async function open(): Promise<Socket> {
  const socket = connect(address.port, address.address);
  socket.on('error', () => {}); // the server may close first
  await once(socket, 'connect');
  return socket;
}

function head(type: string, bytes: number): string {
  return `POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`;
}

/** What came until the connection ended; that the server has closed it while more was sent is no matter here. */
function answer(socket: Socket): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer | string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Over a connection of its own, which is closed when this resolves. */
async function predict(): Promise<number> {
  const headers = { 'content-type': 'image/png' };
  const asked = request({ port: address.port, path: '/predict', method: 'POST', headers, agent: false });
  asked.end(digit);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  return response.statusCode!;
}

const connections = () =>
  new Promise<number>((resolve) => parts.app.server.getConnections((_, count) => resolve(count)));

/** Writes a byte every 20 ms until the server has had enough. */
async function drip(socket: Socket): Promise<void> {
  for await (const _ of every(20)) {
    if (!socket.writable || socket.readableEnded) return;
    socket.write('x');
  }
}

describe('a slow upload', () => {
  const setTimeouts = (headersTimeout: number, requestTimeout: number) =>
    Object.assign(parts.app.server, { headersTimeout, requestTimeout });
  afterEach(() => setTimeouts(10_000, 30_000));

  it('is given 30 s', () => {
    const { headersTimeout, requestTimeout } = buildTimes;
    expect(requestTimeout).toBe(30_000);
    expect(headersTimeout).toBeLessThan(requestTimeout); // or Node takes the one for the other
  });

  it.each([
    ['byte by byte', 'image/png', drip],
    ['byte by byte, a form', 'multipart/form-data; boundary=b', drip],
    ['that stops', 'image/png', async () => {}],
    ['that stops, JSON', 'application/json', async () => {}],
  ])('%s ends by a 408, and holds nobody', async (_, type, send) => {
    const sockets = await Promise.all(Array.from({ length: 20 }, open));
    for (const socket of sockets) socket.write(head(type, 1000));
    const slow = Promise.all(sockets.map(answer));
    const sending = Promise.all(sockets.map(send));
    const fast = await Promise.all(Array.from({ length: 20 }, predict));
    expect(new Set(fast)).toEqual(new Set([200]));
    expect(sockets.filter(({ readableEnded }) => readableEnded)).toEqual([]); // all are still under way
    setTimeouts(requestTimeoutMs, requestTimeoutMs); // headersTimeout must not be the longer one, see app.ts
    for (const text of await slow) {
      expect(text).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"REQUEST_TIMEOUT"/);
    }
    await sending;
  });
});

describe('a client that goes away', () => {
  it('costs no inference', async () => {
    const before = await until(
      'a sign of life',
      () => parts.predictor.load(),
      ({ images }) => images === 0,
    );
    const pid = predictorPid()!;
    process.kill(pid, 'SIGSTOP'); // so that all wait when they go
    const others = await connections();
    const sockets = await Promise.all(Array.from({ length: 100 }, open));
    for (const socket of sockets)
      socket.write(Buffer.concat([Buffer.from(head('image/png', digit.length)), digit]));
    await until(
      'all to wait',
      () => parts.predictor.load().images,
      (images) => images === 100,
    );
    for (const socket of sockets) socket.destroy();
    await until('the server to see them go', connections, (count) => count <= others);
    await until(
      'those not sent to be gone',
      () => parts.predictor.load().images,
      (images) => images <= 32,
    );
    await nextTurn(); // at its end the predictor is told
    process.kill(pid, 'SIGCONT');
    await until(
      'all to be let go of',
      () => parts.predictor.load().images,
      (images) => images === 0,
    );
    expect(await predict()).toBe(200);
    const after = await until(
      'a sign of life',
      () => parts.predictor.load(),
      ({ inferences }) => inferences > before.inferences,
    );
    expect(predictorPid()).toBe(pid);
    expect(after.inferences - before.inferences).toBe(1);
  });
});

describe('a client that goes away in the middle of its body', () => {
  it.each(['image/png', 'application/json', 'multipart/form-data; boundary=b'])(
    'does no harm: %s', // to the process, which an error that nobody hears would end
    async (type) => {
      const sockets = await Promise.all(Array.from({ length: 10 }, open));
      for (const socket of sockets) {
        socket.write(
          `${head(type, 1000)}--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx`,
        );
      }
      expect(await predict()).toBe(200); // by now, they are being read
      for (const socket of sockets) socket.destroy();
      expect(await predict()).toBe(200);
    },
  );

  it('does no harm when it is of a type that nobody reads, and broken', async () => {
    const socket = await open();
    const broken = head('text/plain', 0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    socket.write(`${broken}zz\r\n`);
    expect(await answer(socket)).toMatch(/^HTTP\/1\.1 4\d\d [^]*application\/problem\+json/);
    await until('no connection', connections, (count) => count === 0); // the server lets go of it a little later
    expect(await predict()).toBe(200);
  });
});

describe('a body that ends early', () => {
  it("is nobody's fault but the sender's: nothing is logged, and the next one is answered", async () => {
    const socket = await open();
    socket.write(head('image/png', 1000));
    socket.write(Buffer.alloc(500));
    await until('the body to be read', connections, (count) => count > 0);
    socket.destroy();
    await until('no connection', connections, (count) => count === 0);
    expect(await predict()).toBe(200);
  });
});

describe('a body over the limit', () => {
  it('is answered while it is still being sent', async () => {
    const socket = await open();
    const size = 22 * 1024 * 1024;
    socket.write(head('image/png', size).replace('Host: localhost', 'Host: localhost\r\nConnection: close'));
    socket.write(Buffer.alloc(size));
    expect(await answer(socket)).toMatch(/^HTTP\/1\.1 413 [^]*"code":"BODY_TOO_LARGE"/);
  });

  it('of unknown length is answered, too', async () => {
    const socket = await open();
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1 << 20), Buffer.from('\r\n')]);
    socket.write(
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (let megabyte = 0; megabyte < 22; megabyte++) socket.write(chunk);
    socket.write('0\r\n\r\n');
    expect(await answer(socket)).toMatch(/^HTTP\/1\.1 413 [^]*"code":"BODY_TOO_LARGE"/);
  });
});

describe('what is no request', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400, 'HTTP_INVALID'],
    [
      'a header too large',
      `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['no host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'HOST_MISSING'],
    [
      'a bad path',
      'GET /jobs/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
      'PATH_INVALID',
    ],
  ])('%s gets a problem', async (_, text, status, code) => {
    const socket = await open();
    socket.write(text);
    const answered = await answer(socket);
    expect(answered).toContain(`HTTP/1.1 ${status} `);
    expect(answered).toContain('application/problem+json');
    expect(answered).toContain(`"code":"${code}"`);
    expect(answered).toMatch(/^content-security-policy: default-src 'self';.*frame-ancestors 'none'/im);
    expect(answered).toMatch(/^x-content-type-options: nosniff/im);
  });

  it('with an unknown expectation is answered as without', async () => {
    const socket = await open();
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nExpect: cake\r\nConnection: close\r\n\r\n');
    expect(await answer(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

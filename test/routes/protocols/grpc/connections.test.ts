/** Connections that nobody uses any more. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Parts, startParts } from '../../parts.ts';
import { openGrpcOn } from './client.ts';
import { begin, connectRaw, framed, health } from './raw-call.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts({ predicts: false });
});
afterAll(() => parts.close());

/** A network between a client and a server that loses everything from some moment on, without closing a connection. */
async function openNetwork(serverAddress: string) {
  const [host, port] = serverAddress.split(':') as [string, string];
  let isCut = false;
  const toServer: Socket[] = [];
  const relay = createServer((client) => {
    const server = connectTcp(Number(port), host);
    toServer.push(server);
    client.on('error', () => {}).on('data', (bytes) => !isCut && server.write(bytes));
    server.on('error', () => {}).on('data', (bytes) => !isCut && client.write(bytes));
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    address: `127.0.0.1:${(relay.address() as AddressInfo).port}`,
    toServer,
    cut: () => {
      isCut = true;
    },
    close: () => relay.close(),
  };
}

it('of a client that vanished is closed, with what it watches', async () => {
  const server = await openGrpcOn(parts, { timing: { ping: 50, pong: 2000 } });
  const network = await openNetwork(server.address);
  const session = await connectRaw(network.address);
  const { stream } = begin(session, `${health}Watch`);
  stream.end(framed(Buffer.alloc(0)));
  await once(stream, 'data');
  network.cut();
  const [socket] = network.toServer;
  await once(socket!, 'close');
  expect(stream.closed).toBe(false); // the client can't know
  session.destroy();
  network.close();
  await server.close();
});

it('without calls is closed after a while', async () => {
  const server = await openGrpcOn(parts, { timing: { idle: 100 } });
  const session = await connectRaw(server.address);
  await once(session, 'close');
  expect(session.destroyed).toBe(true);
  await server.close();
});

it('with a call stays open', async () => {
  const server = await openGrpcOn(parts, { timing: { ping: 20, pong: 5000, idle: 50 } });
  const [watching, unused] = [await connectRaw(server.address), await connectRaw(server.address)];
  const { stream } = begin(watching, `${health}Watch`);
  stream.end(framed(Buffer.alloc(0)));
  await once(unused, 'close');
  expect(watching.closed).toBe(false);
  watching.destroy();
  await server.close();
});

/** The server with GRPC_PORT: it speaks gRPC beside HTTP, and ends both. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { connect } from '../routes/protocols/grpc/client.ts';
import { startServer } from './server.ts';

const server = await startServer({ GRPC_PORT: '0' });
const other = createServer().listen(0, '127.0.0.1');
await once(other, 'listening');
const { port } = other.address() as { port: number };
const refused = await startServer({ GRPC_PORT: String(port) }).then(
  () => null,
  (error: Error) => error.message,
);
other.close();

it('answers, and ends in order on a signal', async () => {
  const client = connect(server.grpcAddress!);
  expect((await client.call('ServerReady', {}).outcome).answer).toEqual({ ready: true });
  const metadata = await fetch(new URL('/v2', server.address));
  expect((await client.call('ServerMetadata', {}).outcome).answer).toEqual(await metadata.json());
  server.process.kill('SIGTERM');
  expect(await once(server.process, 'exit')).toEqual([0, null]);
  client.close();
});

it('is refused at start where the port is taken', () => {
  expect(refused).toMatch(`LISTEN_FAILED: expected to listen on port ${port} of 127.0.0.1`);
  expect(refused).toMatch(/set GRPC_PORT to a free one/);
});

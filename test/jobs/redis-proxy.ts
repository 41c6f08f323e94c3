/** A proxy in front of Redis that can break the connection at any message: before Redis gets it, or after, so that only the answer is lost. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

export type Cut = 'before' | 'after' | null;

export type RedisProxy = {
  readonly url: string;
  /** Called for each message to Redis; `null` lets it pass. */
  cut(decide: (message: string) => Cut): void;
};

/** Starts a proxy that is closed at the end of the test file. */
export async function startRedisProxy(redisUrl: string): Promise<RedisProxy> {
  const { port, hostname } = new URL(redisUrl);
  let decide: (message: string) => Cut = () => null;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {}); // the connection was broken on purpose
      socket.on('close', () => sockets.delete(socket));
    }
    redis.pipe(client);
    client.on('close', () => redis.end()); // Redis still carries out what was sent
    client.on('data', (chunk) => {
      const cut = decide(chunk.toString('latin1'));
      if (cut !== 'before') redis.write(chunk);
      if (cut) client.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${own}`,
    cut: (next) => {
      decide = next;
    },
  };
}

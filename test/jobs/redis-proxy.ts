/** A way to Redis that can be cut at any message: before it gets there, or after, so that only the answer is lost. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

export type Cut = 'before' | 'after' | null;

export type RedisProxy = {
  readonly url: string;
  /** Asked for every message to Redis; `null` lets it pass. */
  cut(decide: (message: string) => Cut): void;
};

/** Listens until the test file has ended. */
export async function startRedisProxy(redisUrl: string): Promise<RedisProxy> {
  const { port, hostname } = new URL(redisUrl);
  let decide: (message: string) => Cut = () => null;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {}); // it is cut, as is wanted
      socket.on('close', () => sockets.delete(socket));
    }
    redis.pipe(client);
    client.on('close', () => redis.end()); // what was sent is still carried out
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

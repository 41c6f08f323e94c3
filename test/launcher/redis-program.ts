/** A launcher that only keeps a Redis, in a process of its own; prints where it answers. */
import { startRedis } from '../../src/launcher/embedded-redis.ts';

const { url, process: server } = await startRedis(process.argv[2]!);
process.stdout.write(`${JSON.stringify({ url, pid: server.pid })}\n`);

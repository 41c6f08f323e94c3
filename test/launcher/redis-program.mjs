/** A launcher that only keeps a Redis, in a process of its own; prints where it answers. */
import { importCompiled } from '../compiled.mjs';

/** @type {typeof import('../../src/launcher/embedded-redis.ts')} */
const { startRedis } = await importCompiled('launcher/embedded-redis.js');
const { url, process: server } = await startRedis(String(process.argv[2]));
process.stdout.write(`${JSON.stringify({ url, pid: server.pid })}\n`);

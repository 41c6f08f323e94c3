/** The logger of a process: JSON lines, or readable lines on a terminal. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

/** Paths that are removed from every line: keys and passwords in requests and in Config. */
const secrets = ['headers.authorization', '*.headers.authorization', 'authorization'].concat(
  ['apiKeys', 'redisUrl'].flatMap((name) => [name, `*.${name}`]),
);

export function createLog(name: string, config: Pick<Config, 'logLevel'>): Logger {
  const options = logOptions(name, config);
  if (!process.stdout.isTTY) return pino(options);
  const pretty = { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' };
  return pino({ ...options, transport: { target: 'pino-pretty', options: pretty } });
}

/** How Fastify's own lines show a request: without its query, which may be private. */
function withoutQuery({ method, url }: { method?: string; url?: string }) {
  return { method, path: url?.split('?')[0] };
}

export function logOptions(name: string, { logLevel }: Pick<Config, 'logLevel'>) {
  return { name, level: logLevel, redact: secrets, serializers: { req: withoutQuery } };
}

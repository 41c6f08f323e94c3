/** The logger of an entry: JSON lines, or for people when it writes to a terminal. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

/** What no line may show, whoever logs it: keys and passwords as they occur in requests and in Config. */
const secrets = ['headers.authorization', '*.headers.authorization', 'authorization'].concat(
  ['apiKeys', 'redisUrl'].flatMap((name) => [name, `*.${name}`]),
);

export function createLog(name: string, config: Pick<Config, 'logLevel'>): Logger {
  const options = logOptions(name, config);
  if (!process.stdout.isTTY) return pino(options);
  const pretty = { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' };
  return pino({ ...options, transport: { target: 'pino-pretty', options: pretty } });
}

/** Fastify's own lines show a request so; its query is nobody's business. */
function withoutQuery({ method, url }: { method?: string; url?: string }) {
  return { method, path: url?.split('?')[0] };
}

export function logOptions(name: string, { logLevel }: Pick<Config, 'logLevel'>) {
  return { name, level: logLevel, redact: secrets, serializers: { req: withoutQuery } };
}

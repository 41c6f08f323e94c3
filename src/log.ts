/** The logger of an entry: JSON lines, or for people when it writes to a terminal. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export function createLog(name: string, { logLevel }: Pick<Config, 'logLevel'>): Logger {
  const options = { name, level: logLevel };
  if (!process.stdout.isTTY) return pino(options);
  const pretty = { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' };
  return pino({ ...options, transport: { target: 'pino-pretty', options: pretty } });
}

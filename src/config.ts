/** The environment, read and checked once, as plain values. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { z } from 'zod';
import { engineNames } from './model/engine.ts';
import { TrainyardError } from './model/errors.ts';

const flag = z.stringbool({ truthy: ['true', '1', 'yes'], falsy: ['false', '0', 'no'] });

const environmentSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  ENGINE: z.enum(['auto', ...engineNames]).default('auto'),
  FIRST_MODEL: flag.default(true),
  KEEP_MODELS: z.coerce.number().int().min(1).default(20),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  GIT_COMMIT: z.string().optional(),
});

export type Config = Readonly<{
  host: string;
  port: number; // 0: any free one
  redisUrl: string | null; // null: the launcher starts an embedded Redis
  dataDir: string; // absolute
  engine: z.output<typeof environmentSchema>['ENGINE'];
  firstModel: boolean;
  keepModels: number; // newest versions that stay, besides the best
  logLevel: z.output<typeof environmentSchema>['LOG_LEVEL'];
  gitCommit: string | null;
}>;

/** @throws TrainyardError `CONFIG_INVALID` naming each variable, what it should be and what it is */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const parsed = environmentSchema.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => describe(issue, environment));
    throw new TrainyardError('CONFIG_INVALID', `the environment is not as expected:\n${lines.join('\n')}`);
  }
  const values = parsed.data;
  return {
    host: values.HOST,
    port: values.PORT,
    redisUrl: values.REDIS_URL ?? null,
    dataDir: resolve(values.DATA_DIR),
    engine: values.ENGINE,
    firstModel: values.FIRST_MODEL,
    keepModels: values.KEEP_MODELS,
    logLevel: values.LOG_LEVEL,
    gitCommit: values.GIT_COMMIT ?? readGitCommit(),
  };
}

/** For the parts that are started alone. @throws TrainyardError `CONFIG_INVALID` without REDIS_URL */
export function requireRedisUrl(config: Config): string {
  if (config.redisUrl !== null) return config.redisUrl;
  const message =
    'expected REDIS_URL, for example redis://127.0.0.1:6379; "npm start" brings a Redis of its own';
  throw new TrainyardError('CONFIG_INVALID', message);
}

function describe(issue: z.core.$ZodIssue, environment: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  return `  ${name}=${environment[name] ?? ''}: ${issue.message}`;
}

/** The commit this code is at, for a model's provenance; null outside a git checkout. */
function readGitCommit(): string | null {
  try {
    const options = { cwd: import.meta.dirname, encoding: 'utf8', timeout: 2000, stdio: 'pipe' } as const;
    return execFileSync('git', ['rev-parse', 'HEAD'], options).trim();
  } catch {
    return null;
  }
}

/** Reads and validates the environment once, into plain values. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { TrainyardError, WrongCall } from './lib/errors.ts';
import { readGitCommit } from './lib/git-commit.ts';
import { malformedHost, unusableHost } from './lib/listen.ts';
import { isLoopback } from './lib/loopback.ts';
import './lib/plain-validation.ts';
import { problemOfRedisUrl } from './lib/redis-url.ts';
import { engineNames } from './model/engines/engine.ts';
import { type PromotePolicy, promotePolicies } from './model/registry/gate.ts';
import type { Options } from './options.mjs';

const keyedRequestsPerMinute = 6000; // default of RATE_LIMIT with keys; 100 a second
const minKeyLength = 16; // characters
const mostBytes = 1e15 - 1;

const flag = z.stringbool({
  truthy: ['true', '1', 'yes'],
  falsy: ['false', '0', 'no'],
  error: 'expected true or false',
});

/** Digits only: `Number` also accepts a space, 1e3 and 0x50. */
function wholeNumber(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error });
}

const redisUrl = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const problem = problemOfRedisUrl(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

/** One or several keys, separated by commas. The messages number the keys and never print one. */
const keys = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .superRefine((list, context) => {
    for (const [i, key] of list.entries()) {
      if (key.length >= minKeyLength && /^[\x21-\x7e]+$/.test(key)) continue;
      const came =
        key.length < minKeyLength ? `${key.length} characters` : 'one with another character in it';
      const message = `expected at least ${minKeyLength} printable ASCII characters without spaces in key ${i + 1} of ${list.length}, got ${came}; "openssl rand -hex 32" makes a good one`;
      context.addIssue({ code: 'custom', message });
    }
  });

/** Origins as browsers send them in `Origin`, separated by commas. */
const origins = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .superRefine((list, context) => {
    const wrong = list.find((origin) => origin !== '*' && !isOrigin(origin));
    if (wrong === undefined) return;
    const message = `expected origins such as https://tools.example or http://localhost:5173, without a path or a slash at the end, separated by commas, or *; got "${wrong}"`;
    context.addIssue({ code: 'custom', message });
  });

function isOrigin(text: string): boolean {
  return /^https?:[^*]*$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Removes the brackets that URLs have around an IPv6 address. */
const withoutBrackets = (host: string) => host.replace(/^\[([^\]]*)\]$/, '$1');

const listenHost = z.string().transform((host, context) => {
  const message = malformedHost(host);
  if (message !== null) context.addIssue({ code: 'custom', message });
  return withoutBrackets(host);
});

/** `true`, or addresses of proxies in the form of Fastify's `trustProxy`. */
const proxies = z.string().transform((text, context): boolean | string[] => {
  if (/^(?:true|false)$/.test(text)) return text === 'true';
  const list = text.split(',').map((proxy) => proxy.trim());
  const wrong = list.find((proxy) => !isProxy(proxy));
  if (wrong !== undefined) {
    const message = `expected true, false or the addresses of proxies such as loopback, 10.0.0.2 or 172.16.0.0/12, separated by commas; got "${wrong}"`;
    context.addIssue({ code: 'custom', message });
  }
  return list;
});

function isProxy(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
  if (bits < 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits);
}

const variables = z.object({
  HOST: listenHost.default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(3000),
  GRPC_PORT: wholeNumber(0, 65_535).optional(),
  REDIS_URL: redisUrl.optional(),
  REDIS_DEADLINE_MS: wholeNumber(200, 60_000).default(800),
  DATA_DIR: z.string().min(1).default('./data'),
  ENGINE: z.enum(['auto', ...engineNames]).default('auto'),
  REQUIRE_GPU: flag.default(false),
  TRAINER_NICENESS: wholeNumber(0, 19).default(19),
  FIRST_MODEL: flag.default(true),
  KEEP_MODELS: wholeNumber(1, 1_000_000_000).default(20),
  PROMOTE: z.enum(promotePolicies).default('unless-worse'),
  SERVED_MODELS: wholeNumber(1, 100).default(4),
  KEEP_INPUTS: flag.default(false),
  DATASET_MAX_BYTES: wholeNumber(1, mostBytes).default(2 ** 30),
  DATASETS_MAX_BYTES: wholeNumber(1, mostBytes).default(10 * 2 ** 30),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  GIT_COMMIT: z.string().optional(),
  API_KEY: keys.default([]),
  ALLOW_ANONYMOUS: z
    .union([z.literal('local'), flag], { error: 'expected true, false or local' })
    .default(false),
  PUBLISH: z.string().optional(), // set by compose: the host's address at which the port is published
  TENSORFLOW: z.enum(['cpu', 'cuda', 'stock']).optional(), // the build that set-up was asked for
  CORS_ORIGINS: origins.default([]),
  TRUST_PROXY: proxies.default(false),
  KEEP_ALIVE_SECONDS: wholeNumber(1, 3600).default(75),
  RATE_LIMIT: wholeNumber(1, 1_000_000_000).optional(), // requests a minute
});

const environmentSchema = variables
  .refine(
    ({ HOST, API_KEY, ALLOW_ANONYMOUS }) =>
      isLoopback(HOST) || API_KEY.length > 0 || ALLOW_ANONYMOUS !== false,
    {
      path: ['HOST'],
      error: ({ input }) => {
        const advice =
          'other hosts can reach this address: expected API_KEY with it, so that not everybody can train and predict ("openssl rand -hex 32" makes a good key), or ALLOW_ANONYMOUS=true where everybody may, or =local in a container whose port is published on loopback; without either, a loopback address such as 127.0.0.1';
        const isName = isIP((input as { HOST: string }).HOST) === 0;
        return isName ? `${advice}; if you did not set HOST, then conda or your shell did` : advice;
      },
    },
  )
  .refine(({ PORT, GRPC_PORT }) => GRPC_PORT === undefined || GRPC_PORT === 0 || GRPC_PORT !== PORT, {
    path: ['GRPC_PORT'],
    error: 'expected another port than that of HTTP (PORT), got the same; set one of them to another',
  })
  // `local` means that only this machine reaches the port. Compose knows that, the server doesn't.
  .refine(
    ({ ALLOW_ANONYMOUS, PUBLISH, API_KEY }) =>
      ALLOW_ANONYMOUS !== 'local' || PUBLISH === undefined || isLoopback(PUBLISH) || API_KEY.length > 0,
    {
      path: ['PUBLISH'],
      error:
        'other hosts can reach this address: expected API_KEY with it ("openssl rand -hex 32" makes a good key), or ALLOW_ANONYMOUS=true where everybody may train and predict',
    },
  );

export type Config = Readonly<{
  host: string;
  port: number; // 0: any free one
  grpcPort: number | null; // likewise; null: gRPC is not spoken
  redisUrl: string | null; // null: the launcher starts an embedded Redis
  redisDeadlineMs: number; // that a request waits for Redis before it is answered 503
  dataDir: string; // absolute
  engine: z.output<typeof environmentSchema>['ENGINE'];
  cpuWanted: boolean; // asked for by name, so no warning about a missing GPU
  requireGpu: boolean; // refuse to train on a CPU
  trainerNiceness: number; // 19: everything else on the machine goes first
  firstModel: boolean;
  promote: PromotePolicy; // of jobs that don't say
  servedModels: number; // versions that the predictor keeps loaded
  keepInputs: boolean; // pictures and answers, for people to review
  datasetLimits: { archiveBytes: number; allBytes: number }; // of one archive; of all data sets and archives
  keepModels: number; // number of newest versions to keep, besides the best
  logLevel: z.output<typeof environmentSchema>['LOG_LEVEL'];
  gitCommit: string | null;
  apiKeys: readonly string[]; // empty: no key is required
  allowAnonymous: boolean; // without keys: other hosts may send requests too
  trustProxy: boolean | string[]; // the proxies whose X-Forwarded-* headers are trusted
  keepAliveSeconds: number; // that an idle connection stays open
  corsOrigins: readonly string[]; // origins whose pages may call the API; "*": all
  requestsPerMinute: number | null; // per key, or per address if there are no keys; null: unlimited
}>;

/**
 * @param names the command-line option that set each variable, for the messages
 * @throws TrainyardError `CONFIG_INVALID` with each wrong variable or option, the expected and the actual value
 */
export function readConfig(
  environment: NodeJS.ProcessEnv = process.env,
  names: Options['names'] = {},
): Config {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const parsed = environmentSchema.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => [String(path[0]), message] as const);
    throw configInvalid(problems, environment, names);
  }
  const values = parsed.data;
  return {
    host: values.HOST,
    port: values.PORT,
    grpcPort: values.GRPC_PORT ?? null,
    redisUrl: values.REDIS_URL ?? null,
    redisDeadlineMs: values.REDIS_DEADLINE_MS,
    dataDir: resolve(values.DATA_DIR),
    engine: values.ENGINE,
    cpuWanted: values.ENGINE === 'wasm' || values.TENSORFLOW === 'cpu',
    requireGpu: values.REQUIRE_GPU,
    trainerNiceness: values.TRAINER_NICENESS,
    firstModel: values.FIRST_MODEL,
    keepModels: values.KEEP_MODELS,
    promote: values.PROMOTE,
    servedModels: values.SERVED_MODELS,
    keepInputs: values.KEEP_INPUTS,
    datasetLimits: { archiveBytes: values.DATASET_MAX_BYTES, allBytes: values.DATASETS_MAX_BYTES },
    logLevel: values.LOG_LEVEL,
    gitCommit: values.GIT_COMMIT ?? readGitCommit(),
    apiKeys: values.API_KEY,
    allowAnonymous: values.ALLOW_ANONYMOUS === true,
    trustProxy: values.TRUST_PROXY,
    keepAliveSeconds: values.KEEP_ALIVE_SECONDS,
    corsOrigins: values.CORS_ORIGINS,
    requestsPerMinute: values.RATE_LIMIT ?? (values.API_KEY.length > 0 ? keyedRequestsPerMinute : null),
  };
}

/**
 * For a process that listens. Checks first whether HOST is an address of this machine: other errors about it come later.
 *
 * @throws TrainyardError `CONFIG_INVALID`
 */
export async function readListenerConfig({ environment: overrides, names }: Options): Promise<Config> {
  const environment = { ...process.env, ...overrides };
  const host = environment['HOST'];
  if (host && malformedHost(host) === null) {
    const problem = await unusableHost(withoutBrackets(host));
    if (problem !== null) throw configInvalid([['HOST', problem]], environment, names);
  }
  return readConfig(environment, names);
}

/** For a process that does not listen: ignores HOST, which conda or a shell may have set. */
export function readWorkerConfig({ environment, names }: Options): Config {
  return readConfig({ ...process.env, ...environment, HOST: undefined, PUBLISH: undefined }, names);
}

/** For server and worker when they are started alone. @throws TrainyardError `CONFIG_INVALID` without REDIS_URL */
export function requireRedisUrl(config: Config): string {
  if (config.redisUrl !== null) return config.redisUrl;
  const message =
    'expected REDIS_URL, for example redis://127.0.0.1:6379; "npm start" brings a Redis of its own';
  throw new TrainyardError('CONFIG_INVALID', message);
}

function configInvalid(
  problems: readonly (readonly [variable: string, message: string])[],
  environment: NodeJS.ProcessEnv,
  names: Options['names'],
): TrainyardError {
  const lines = problems.map(([variable, message]) => {
    const option = names[variable];
    const value = printable(variable, environment[variable] ?? '');
    return `  ${option ? `${option} ${value}` : `${variable}=${value}`}: ${message}`;
  });
  const isOption = problems.some(([variable]) => variable in names);
  const what = isOption ? 'the options are' : 'the environment is';
  const message = `${what} not as expected:\n${lines.join('\n')}`;
  return isOption ? new WrongCall('CONFIG_INVALID', message) : new TrainyardError('CONFIG_INVALID', message);
}

/** A value as it may be shown: no key, no password, neither in a URL's user part nor in its query. */
function printable(name: string, value: string): string {
  return name === 'API_KEY'
    ? '(not shown)'
    : value.replace(/^.*@/s, '(not shown)@').replace(/\?.*$/s, '?(not shown)');
}

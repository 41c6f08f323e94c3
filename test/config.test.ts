import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig, requireRedisUrl } from '../src/config.ts';

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({ GIT_COMMIT: 'abc' })).toEqual({
      host: '127.0.0.1',
      port: 3000,
      grpcPort: null,
      redisUrl: null,
      redisDeadlineMs: 800,
      dataDir: resolve('data'),
      engine: 'auto',
      firstModel: true,
      keepModels: 20,
      promote: 'unless-worse',
      servedModels: 4,
      keepInputs: false,
      datasetLimits: { archiveBytes: 1_073_741_824, allBytes: 10_737_418_240 },
      logLevel: 'info',
      gitCommit: 'abc',
      apiKeys: [],
      allowAnonymous: false,
      corsOrigins: [],
      trustProxy: false,
      keepAliveSeconds: 75,
      requestsPerMinute: null,
      requireGpu: false,
      trainerNiceness: 19,
      cpuWanted: false,
    });
  });

  it('reads every variable', () => {
    const config = readConfig({
      HOST: '::1',
      PORT: '0',
      GRPC_PORT: '8001',
      REDIS_URL: 'redis://127.0.0.1:6379',
      DATA_DIR: '/srv/trainyard',
      ENGINE: 'wasm',
      FIRST_MODEL: 'false',
      KEEP_MODELS: '3',
      PROMOTE: 'never',
      SERVED_MODELS: '2',
      KEEP_INPUTS: 'yes',
      DATASET_MAX_BYTES: '1000',
      DATASETS_MAX_BYTES: '5000',
      LOG_LEVEL: 'debug',
      TRAINER_NICENESS: '5',
    });
    expect(config).toMatchObject({
      host: '::1',
      port: 0,
      grpcPort: 8001,
      redisUrl: 'redis://127.0.0.1:6379',
      engine: 'wasm',
    });
    expect(config).toMatchObject({
      dataDir: '/srv/trainyard',
      firstModel: false,
      keepModels: 3,
      promote: 'never',
      servedModels: 2,
      keepInputs: true,
      datasetLimits: { archiveBytes: 1000, allBytes: 5000 },
      logLevel: 'debug',
      trainerNiceness: 5,
    });
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '' })).toMatchObject({ port: 3000, redisUrl: null });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['PORT', ' '],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['PORT', '-1'],
    ['GRPC_PORT', '70000'],
    ['GRPC_PORT', 'grpc'],
    ['GRPC_PORT', '3000'], // that of HTTP
    ['RATE_LIMIT', 'many'],
    ['ENGINE', 'cuda'],
    ['REDIS_URL', 'localhost'],
    ['REDIS_DEADLINE_MS', '100'],
    ['FIRST_MODEL', 'maybe'],
    ['KEEP_MODELS', '0'],
    ['PROMOTE', 'sometimes'],
    ['SERVED_MODELS', '0'],
    ['KEEP_INPUTS', 'maybe'],
    ['DATASET_MAX_BYTES', '0'],
    ['DATASETS_MAX_BYTES', '1 GB'],
    ['KEEP_MODELS', '1.5'],
    ['TRAINER_NICENESS', '20'],
    ['TRAINER_NICENESS', '-1'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s, naming it and what it got', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`${name}=${value}: expected`)),
      }),
    );
  });

  it('names all that is wrong at once', () => {
    expect(() => readConfig({ PORT: 'x', ENGINE: 'y' })).toThrow(/PORT=x[\s\S]*ENGINE=y/);
  });
});

const key = 'a-key-of-some-length';
const otherKey = 'another-key-of-some-length';

describe('HOST', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST'])(
    'may be %s without a key',
    (host) => {
      expect(readConfig({ HOST: host }).host).toBe(host);
    },
  );

  const reachable = [
    '0.0.0.0',
    '::',
    '192.168.1.5',
    '128.0.0.1',
    '127.1',
    'localhost.example',
    '[::1].example',
  ];

  it.each(reachable)('is refused as %s without a key, with what to set', (host) => {
    const message = expect.stringMatching(/HOST=.*expected API_KEY.*or ALLOW_ANONYMOUS=true/);
    expect(() => readConfig({ HOST: host })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message }),
    );
    expect(() => readConfig({ HOST: host, ALLOW_ANONYMOUS: 'false' })).toThrow(/API_KEY/);
    expect(() => readConfig({ HOST: host, API_KEY: '' })).toThrow(/API_KEY/);
  });

  it.each(reachable)('may be %s with a key, or where everybody may ask', (host) => {
    expect(readConfig({ HOST: host, API_KEY: key })).toMatchObject({ host, apiKeys: [key] });
    expect(readConfig({ HOST: host, ALLOW_ANONYMOUS: 'true' })).toMatchObject({ host, allowAnonymous: true });
  });
});

describe('ALLOW_ANONYMOUS=local', () => {
  const container = { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'local' };

  it('lets a container listen everywhere, and answer no other site', () => {
    expect(readConfig(container)).toMatchObject({ host: '0.0.0.0', allowAnonymous: false, apiKeys: [] });
    expect(readConfig({ ...container, PUBLISH: '127.0.0.1' })).toMatchObject({ allowAnonymous: false });
  });

  it('is refused where the port is published to other hosts, unless there is a key', () => {
    const published = { ...container, PUBLISH: '0.0.0.0' };
    expect(() => readConfig(published)).toThrow(
      /PUBLISH=0\.0\.0\.0: .*expected API_KEY.*ALLOW_ANONYMOUS=true/,
    );
    expect(readConfig({ ...published, API_KEY: key }).apiKeys).toEqual([key]);
    expect(readConfig({ ...published, ALLOW_ANONYMOUS: 'true' })).toMatchObject({ allowAnonymous: true });
  });

  it('is one of three values', () => {
    expect(() => readConfig({ ALLOW_ANONYMOUS: 'maybe' })).toThrow(
      /ALLOW_ANONYMOUS=maybe: expected true, false or local/,
    );
  });
});

describe('API_KEY', () => {
  it('is one key or several', () => {
    expect(readConfig({ API_KEY: key }).apiKeys).toEqual([key]);
    expect(readConfig({ API_KEY: `${key}, ${otherKey}` }).apiKeys).toEqual([key, otherKey]);
  });

  it.each([
    ['short', /key 1 of 1, got 5 characters/],
    [`${key},short`, /key 2 of 2, got 5 characters/],
    [`${key},`, /key 2 of 2, got 0 characters/],
    ['with a space within it', /key 1 of 1, got one with another character/],
    ['ключ-из-многих-букв', /key 1 of 1, got one with another character/],
    ['a-key-with\na-line-break', /key 1 of 1, got one with another character/],
  ])('is refused as %s, and not shown', (value, why) => {
    const { message } = errorOf(() => readConfig({ API_KEY: value }));
    expect(message).toMatch(why);
    expect(message).toMatch(/at least 16 printable ASCII characters without spaces/);
    for (const part of value.split(',').filter(Boolean)) expect(message).not.toContain(part);
  });

  it('is not shown where another variable is wrong; nor is the password of REDIS_URL', () => {
    const { message } = errorOf(() =>
      readConfig({ API_KEY: key, REDIS_URL: 'http://me:se@cret@redis:6379' }),
    );
    expect(message).toContain('REDIS_URL=(not shown)@redis:6379: ');
    const inQuery = errorOf(() => readConfig({ REDIS_URL: 'redis://redis:6379/x?password=secret' }));
    expect(inQuery.message).not.toContain('secret');
    expect(message).not.toMatch(/cret@|a-key/);
  });
});

describe('RATE_LIMIT', () => {
  it('is 6000 a minute with a key, none without', () => {
    expect(readConfig({}).requestsPerMinute).toBeNull();
    expect(readConfig({ API_KEY: key }).requestsPerMinute).toBe(6000);
    expect(readConfig({ RATE_LIMIT: '10' }).requestsPerMinute).toBe(10);
    expect(readConfig({ RATE_LIMIT: '10', API_KEY: key }).requestsPerMinute).toBe(10);
  });

  it.each(['0', '-1', '1.5', 'many'])('is refused as %s', (value) => {
    expect(() => readConfig({ RATE_LIMIT: value })).toThrow(`RATE_LIMIT=${value}: `);
  });
});

function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, got none');
}

describe('requireRedisUrl', () => {
  it('says how to get a Redis when there is none', () => {
    expect(() => requireRedisUrl(readConfig({}))).toThrow(/expected REDIS_URL.*npm start/);
  });
});

describe('CORS_ORIGINS', () => {
  it('is a list of origins', () => {
    const value = 'https://tools.example, http://localhost:5173';
    expect(readConfig({ CORS_ORIGINS: value }).corsOrigins).toEqual(value.split(', '));
    expect(readConfig({ CORS_ORIGINS: '*' }).corsOrigins).toEqual(['*']);
  });

  it.each([
    'https://tools.example/',
    'https://tools.example/page',
    'tools.example',
    'null',
    'https://*.example',
    'https://TOOLS.example',
    'https://tools.example:443',
    'https://a.example,,https://b.example',
    'file:///tmp',
  ])('is refused with %s', (value) => {
    expect(() => readConfig({ CORS_ORIGINS: value })).toThrow(/CORS_ORIGINS=.*: expected origins such as/);
  });
});

describe('TRUST_PROXY', () => {
  it.each([
    ['true', true],
    ['false', false],
    ['loopback', ['loopback']],
    ['10.0.0.2, 172.16.0.0/12,::1', ['10.0.0.2', '172.16.0.0/12', '::1']],
  ])('may be %s', (value, expected) => {
    expect(readConfig({ TRUST_PROXY: value }).trustProxy).toEqual(expected);
  });

  it.each(['nginx', '10.0.0.2/33', '10.0.0.0/0', '::/0', '10.0.0.2/8/8', '10.0.0', 'loopback,'])(
    'is refused with %s',
    (value) => {
      expect(() => readConfig({ TRUST_PROXY: value })).toThrow(/TRUST_PROXY=.*: expected true, false or/);
    },
  );
});

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig, requireRedisUrl } from '../src/config.ts';

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({ GIT_COMMIT: 'abc' })).toEqual({
      host: '127.0.0.1',
      port: 3000,
      redisUrl: null,
      dataDir: resolve('data'),
      engine: 'auto',
      firstModel: true,
      keepModels: 20,
      logLevel: 'info',
      gitCommit: 'abc',
    });
  });

  it('reads every variable', () => {
    const config = readConfig({
      HOST: '::1',
      PORT: '0',
      REDIS_URL: 'redis://127.0.0.1:6379',
      DATA_DIR: '/srv/trainyard',
      ENGINE: 'wasm',
      FIRST_MODEL: 'false',
      KEEP_MODELS: '3',
      LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      host: '::1',
      port: 0,
      redisUrl: 'redis://127.0.0.1:6379',
      engine: 'wasm',
    });
    expect(config).toMatchObject({
      dataDir: '/srv/trainyard',
      firstModel: false,
      keepModels: 3,
      logLevel: 'debug',
    });
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '' })).toMatchObject({ port: 3000, redisUrl: null });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['ENGINE', 'cuda'],
    ['REDIS_URL', 'localhost'],
    ['FIRST_MODEL', 'maybe'],
    ['KEEP_MODELS', '0'],
    ['KEEP_MODELS', '1.5'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s, naming it and what it got', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`${name}=${value}: `),
      }),
    );
  });

  it('names all that is wrong at once', () => {
    expect(() => readConfig({ PORT: 'x', ENGINE: 'y' })).toThrow(/PORT=x[\s\S]*ENGINE=y/);
  });
});

describe('requireRedisUrl', () => {
  it('says how to get a Redis when there is none', () => {
    expect(() => requireRedisUrl(readConfig({}))).toThrow(/expected REDIS_URL.*npm start/);
  });
});

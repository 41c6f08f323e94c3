/** One `npm start` where much is unusual: keys, all hosts, a proxy, the whole log. */
import { type Service, startService } from '../../harness/service.ts';
import { temporaryDirectory } from '../temporary.ts';
import { type RecordingProxy, startProxy } from './recording-proxy.ts';

export type Running = {
  readonly service: Service;
  readonly dataDir: string;
  readonly proxy: RecordingProxy;
  readonly address: string; // of the service, at 127.0.0.1
};

/** The service takes each of these. */
export const keys = ['a-key-of-some-length', 'another-key-of-some-length'] as const;

const settings = {
  API_KEY: keys.join(','),
  HOST: '0.0.0.0',
  FIRST_MODEL: 'false',
  ENGINE: 'wasm',
  LOG_LEVEL: 'trace',
  RATE_LIMIT: '100000',
  REDIS_DEADLINE_MS: '10000', // on a busy machine
  npm_config_update_notifier: 'false', // npm itself would ask its registry, by way of the proxy
};

export async function startUnusual(): Promise<Running> {
  const dataDir = await temporaryDirectory();
  const proxy = await startProxy();
  const service = await startService(dataDir, { ...settings, ...proxy.environment });
  await service.printed('Ctrl-C stops');
  return { service, dataDir, proxy, address: service.address.replace('0.0.0.0', '127.0.0.1') };
}

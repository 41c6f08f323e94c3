/** A real server process, compiled, on a Redis and a data directory of its own, serving an untrained model. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { buildNetwork, initialWeights } from '../../src/model/network/network.ts';
import { openStore } from '../../src/model/store/store.ts';
import { startRedisServer } from '../jobs/redis-server.ts';
import { until } from '../jobs/until.ts';
import { provenance } from '../model/store/provenance.ts';
import { temporaryDirectory } from '../temporary.ts';

export type Server = {
  readonly address: URL;
  readonly grpcAddress: string | undefined; // where GRPC_PORT is set
  readonly process: ChildProcess;
  /** Log lines and whatever else it has printed. */
  output(): string;
};

const entry = fileURLToPath(new URL('../../dist/server.js', import.meta.url));

/** Serves when this resolves; ended, with its Redis, after the test file. Call it outside of tests, which have no `afterAll`. */
export async function startServer(env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const { url } = await startRedisServer();
  const dataDir = await temporaryDirectory();
  await openStore(dataDir).publish(
    buildNetwork('article', 10),
    initialWeights(buildNetwork('article', 10), 1),
    provenance,
  );
  const settings = {
    HOST: '127.0.0.1',
    PORT: '0',
    KEEP_ALIVE_SECONDS: '10',
    REDIS_URL: url,
    DATA_DIR: dataDir,
    FIRST_MODEL: 'false',
  };
  const child = fork(entry, [], {
    env: { ...process.env, LOG_LEVEL: 'error', ...settings, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  afterAll(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const { address, grpcAddress } = await listening(child, () => output);
  const served = async () =>
    (await fetch(new URL('/models/1', address))).json() as Promise<{ served?: boolean }>;
  await until('model 1 to be served', served, (model) => model.served === true);
  return { address, grpcAddress, process: child, output: () => output };
}

type Listening = Pick<Server, 'address' | 'grpcAddress'>;

function listening(child: ChildProcess, output: () => string): Promise<Listening> {
  return new Promise((resolve, reject) => {
    child.once('message', ({ address, grpcAddress }: { address: string; grpcAddress?: string }) =>
      resolve({ address: new URL(address), grpcAddress }),
    );
    child.once('exit', () => reject(new Error(`expected the server to listen, it ended:\n${output()}`)));
  });
}

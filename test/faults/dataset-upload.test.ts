/** A server that is killed while an archive arrives. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildNetwork, initialWeights } from '../../src/model/network/network.ts';
import { openStore } from '../../src/model/store/store.ts';
import { until } from '../jobs/until.ts';
import { provenance } from '../model/store/provenance.ts';
import { temporaryDirectory } from '../temporary.ts';
import { startServer } from './server.ts';

const dataDir = await temporaryDirectory();
const network = buildNetwork('article', 10);
await openStore(dataDir).publish(network, initialWeights(network, 1), provenance);
const killed = await startServer({ DATA_DIR: dataDir });

const uploads = () => readdir(join(dataDir, 'datasets', '.uploads')).catch(() => ['none yet']);

const sent = request(new URL('/datasets?name=letters', killed.address), {
  method: 'POST',
  headers: { 'content-type': 'application/zip', 'content-length': '1000000' },
});
sent.on('error', () => {}); // the connection breaks off
sent.write(Buffer.alloc(1000));
await until('an upload', uploads, ([name]) => name !== 'none yet' && name !== undefined);
killed.process.kill('SIGKILL');
await once(killed.process, 'exit');
const left = await uploads();
await startServer({ DATA_DIR: dataDir }); // its Redis knows of no upload

it('leaves an archive that the next one removes', async () => {
  expect(left).toHaveLength(1);
  expect(await until('no upload', uploads, (names) => names.length === 0)).toEqual([]);
});

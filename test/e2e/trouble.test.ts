/** What a launcher meets in real life: whoever read its output is gone, a part dies of a native fault. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processesOf, type Service, startService, until } from '../../harness/service.ts';
import { temporaryDirectory } from '../temporary.ts';

let dataDir: string;
let service: Service;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  service = await startService(dataDir, { FIRST_MODEL: 'false', ENGINE: 'wasm' });
  await service.printed('Ctrl-C stops', 60_000);
}, 90_000);
afterEach(async () => {
  await service?.end();
});

const workers = () =>
  processesOf(dataDir)
    .filter((line) => line.includes('worker.js'))
    .map((line) => Number.parseInt(line));

describe('npm start', () => {
  it('goes on when nobody reads its output any longer, and stops as ever', async () => {
    service.closeOutput();
    expect((await fetch(`${service.address}/health/live`)).status).toBe(200);
    expect(await service.end()).toBe(0); // it says that it stops, to nobody
    await until(() => processesOf(dataDir).length === 0, 'all of its processes to end', 5000);
  });

  it('starts a part again that a native fault has ended', async () => {
    const [before] = workers();
    process.kill(before!, 'SIGSEGV');
    await service.printed('the worker ended (SIGSEGV); starting it again', 10_000);
    await until(() => workers().length > 0, 'another worker', 20_000);
    expect(workers()).not.toContain(before);
  });
});

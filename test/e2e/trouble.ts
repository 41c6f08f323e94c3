/** What a launcher meets in real life: a part dies of a native fault, whoever read its output is gone. */
import { describe, expect, it } from 'vitest';
import { processesOf, until } from '../../harness/service.ts';
import type { Running } from './running.ts';

export function describeTrouble(running: () => Running): void {
  const workers = () =>
    processesOf(running().dataDir)
      .filter((line) => line.includes('worker.js'))
      .map((line) => Number.parseInt(line));

  describe('in trouble', () => {
    it('starts a part again that a native fault has ended', async () => {
      const [before] = workers();
      process.kill(before!, 'SIGSEGV');
      await running().service.printed('the worker ended (SIGSEGV); starting it again');
      await until(() => workers().length > 0, 'another worker');
      expect(workers()).not.toContain(before);
    });

    it('goes on when nobody reads its output any longer, and stops as ever', async () => {
      const { service, address, dataDir } = running();
      service.closeOutput();
      expect((await fetch(`${address}/health/live`)).status).toBe(200);
      expect(await service.end()).toBe(0); // it says that it stops, to nobody
      await until(() => processesOf(dataDir).length === 0, 'all of its processes to end', 5000);
    });
  });
}

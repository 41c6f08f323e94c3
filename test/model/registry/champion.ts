/** Makes a version champion, as a call to the API does. */
import { openRegistry } from '../../../src/model/registry/registry.ts';

export async function makeChampion(dataDir: string, version: number, model = 'mnist'): Promise<void> {
  const write = { action: 'moved', alias: 'champion', to: version, by: 'a test', reason: 'to test' } as const;
  await openRegistry(dataDir).decide(model, async () => ({ write }));
}

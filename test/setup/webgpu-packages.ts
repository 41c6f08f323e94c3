/** The optional packages of WebGPU for the tests: the one step of set-up that brings them, as ENGINE=webgpu runs it. */
import { repository, setupModule } from './checkout.ts';

const withinMs = 25_000;

type Step = (context: object, activity: { doing(): void }) => Promise<unknown>;
type Turn = { take(): Promise<void>; release(): void };
type Surroundings = {
  readSurroundings: (env: NodeJS.ProcessEnv, root: string) => { cacheDir: string; env: NodeJS.ProcessEnv };
};
type CreateTurn = (cacheDir: string, signal: AbortSignal) => Turn;

/** Into this checkout, by way of this machine's cache. Says why they can't be had, or null. */
export async function provideWebGpuPackages(): Promise<string | null> {
  const { provideWebGpu } = await setupModule<{ provideWebGpu: Step }>('webgpu');
  const { readSurroundings } = await setupModule<Surroundings>('environment');
  const { createTurn } = await setupModule<{ createTurn: CreateTurn }>('turn');
  const signal = AbortSignal.timeout(withinMs);
  const { cacheDir, env } = readSurroundings(process.env, repository);
  const turn = createTurn(cacheDir, signal);
  try {
    const context = { root: repository, cacheDir, env, signal, verify: false, takeTurn: () => turn.take() };
    await provideWebGpu(context, { doing: () => {} });
    return null;
  } catch (error) {
    return `set-up could not fetch its packages: ${(error as Error).message}`;
  } finally {
    turn.release();
  }
}

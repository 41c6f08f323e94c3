/** The optional packages of WebGPU for the tests: the one step of set-up that brings them, as ENGINE=webgpu runs it. */
import { repository, setupModule } from './checkout.ts';

const withinMs = 25_000;

type Step = (context: object, activity: { doing(): void }) => Promise<unknown>;
type Turn = { take(): Promise<void>; release(): void };
type CreateTurn = (cacheDir: string, signal: AbortSignal) => Turn;

/** Into this checkout, by way of this machine's cache. Says why they can't be had, or null. */
export async function provideWebGpuPackages(): Promise<string | null> {
  const { provideWebGpu } = await setupModule<{ provideWebGpu: Step }>('webgpu');
  const main = await setupModule<{ cacheDirectory(env: NodeJS.ProcessEnv): string }>('main');
  const { createTurn } = await setupModule<{ createTurn: CreateTurn }>('turn');
  const [env, signal] = [process.env, AbortSignal.timeout(withinMs)];
  const cacheDir = main.cacheDirectory(env);
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

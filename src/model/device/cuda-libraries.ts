/** The shared libraries that TensorFlow needs for a GPU: tests each by opening it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';

/** The libtensorflow that set-up has installed: without CUDA, with CUDA 12, or the package's own for CUDA 11. */
export type Variant = 'cpu' | 'cuda' | 'stock';

/** `problem`: the loader's message if the library can't be opened, else null. */
export type TriedLibrary = { readonly name: string; readonly problem: string | null };

/** The libraries that tensorflow/…/dso_loader.cc opens, in the versions for TensorFlow 2.21 and 2.9. */
const namesOf: Readonly<Record<Variant, readonly string[]>> = {
  cpu: [],
  cuda: `libcuda.so.1 libcudart.so.12 libcublas.so.12 libcublasLt.so.12 libcufft.so.11 libcusolver.so.11
    libcusparse.so.12 libcudnn.so.9`.split(/\s+/),
  stock: `libcuda.so.1 libcudart.so.11.0 libcublas.so.11 libcublasLt.so.11 libcufft.so.10 libcurand.so.10
    libcusolver.so.11 libcusparse.so.11 libcudnn.so.8`.split(/\s+/),
};

/** The directory of the tfjs-node binding's libraries; null if set-up has installed none. */
export function findDeps(): string | null {
  const require = createRequire(import.meta.url);
  const deps = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'deps');
  return existsSync(deps) ? deps : null;
}

export function readVariant(deps: string | null): Variant | null {
  if (deps === null || !existsSync(join(deps, 'variant'))) return null;
  return readFileSync(join(deps, 'variant'), 'utf8').trim() as Variant;
}

/** Opens each library in this process, which should be short-lived. */
export function tryLibraries(variant: Variant, deps: string): TriedLibrary[] {
  const beside = librariesBeside(deps);
  return namesOf[variant].map((name) => ({ name, problem: tryLibrary(beside.get(name) ?? name) }));
}

/**
 * The environment in which the loader finds the CUDA libraries beside TensorFlow. A process that opens TensorFlow has to
 * be started with it.
 */
export function cudaEnvironment(deps = findDeps()): NodeJS.ProcessEnv {
  const folders = deps === null ? [] : foldersBeside(deps);
  const paths = [...folders, process.env['LD_LIBRARY_PATH']].filter(Boolean);
  return folders.length === 0 ? {} : { LD_LIBRARY_PATH: paths.join(':') };
}

/** Paths such as deps/nvidia/cudnn/lib/libcudnn.so.9, by file name. */
function librariesBeside(deps: string): Map<string, string> {
  const files = foldersBeside(deps).flatMap((folder) => readdirSync(folder).map((name) => [folder, name]));
  return new Map(files.map(([folder, name]) => [name!, join(folder!, name!)]));
}

function foldersBeside(deps: string): string[] {
  const root = join(deps, 'nvidia');
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .map((name) => join(root, name, 'lib'))
    .filter((folder) => existsSync(folder));
}

/** Lets Node open the library as an addon: its complaint that it is none comes only after the loader has succeeded. */
export function tryLibrary(name: string): string | null {
  try {
    process.dlopen({ exports: {} }, name);
    return null;
  } catch (error) {
    const message = messageOf(error).split('\n')[0]!;
    return message.startsWith('Module did not self-register') ? null : message;
  }
}

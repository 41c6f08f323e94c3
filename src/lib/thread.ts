/** Starts a module of this repository in a thread: compiled from dist/, or from source by tsx, as in tests. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * `name` is a module beside `importer`, without extension. Node 20 has no --import for threads, so a thread from source
 * starts with a line that registers tsx.
 */
export function startThread(importer: string, name: string, options: WorkerOptions = {}): Worker {
  const extension = importer.slice(importer.lastIndexOf('.'));
  const module = new URL(`./${name}${extension}`, importer);
  if (extension !== '.ts') return new Worker(module, options);
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const lines = `import { register } from ${tsx}; register(); await import(${JSON.stringify(module.href)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(lines)}`), options);
}

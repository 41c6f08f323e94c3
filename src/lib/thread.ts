/** Starts a module of this repository in a thread, whether it runs compiled from dist/ or, in tests, from source by tsx. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * `name` is a module beside `importer`, without extension. Node 20 has no --import for threads: from source, the
 * thread begins with a line that brings tsx in first.
 */
export function startThread(importer: string, name: string, options: WorkerOptions = {}): Worker {
  const extension = importer.slice(importer.lastIndexOf('.'));
  const module = new URL(`./${name}${extension}`, importer);
  if (extension !== '.ts') return new Worker(module, options);
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const lines = `import { register } from ${tsx}; register(); await import(${JSON.stringify(module.href)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(lines)}`), options);
}

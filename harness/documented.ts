/** The programs in the documentation, which tests and benches run as they stand there. */
import { readFile } from 'node:fs/promises';

/** The blocks of code of a page that have a name, such as `ts onnx`: a language and a word. */
export async function documentedPrograms(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(new URL(`../docs/${page}`, import.meta.url), 'utf8');
  return new Map([...text.matchAll(/^```(\w+ \w+)\n(.*?)^```$/gms)].map(([, name, code]) => [name!, code!]));
}

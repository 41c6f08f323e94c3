/** A TypeScript program of the documentation, in a folder of its own from which it can import this project's packages. */
import { symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporaryDirectory } from './temporary.ts';

const packages = fileURLToPath(new URL('../node_modules', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

type Command = { readonly program: string; readonly args: readonly string[]; readonly folder: string };

/** Writes it, and returns what runs it. */
export async function programFile(code: string): Promise<Command> {
  const folder = await temporaryDirectory();
  await symlink(packages, join(folder, 'node_modules'));
  const file = join(folder, 'program.mts');
  await writeFile(file, code);
  return { program: process.execPath, args: ['--import', tsx, file], folder };
}

/** `trainyard export`: a version as a file. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ExportFormat, exportModel } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';

type ExportOptions = { readonly format: ExportFormat; readonly output?: string };

export async function exportFile(
  context: CommandContext,
  version: number,
  { format, output }: ExportOptions,
): Promise<number> {
  const { name, bytes } = await exportModel(context.client, version, format);
  const file = output ?? basename(name ?? `model-${version}.${format}`); // never outside this directory
  await writeFile(file, bytes);
  if (context.json) writeJson(context, { version, format, file, bytes: bytes.length });
  else writeLine(context.stdout, `model ${version} is written to ${file} (${sizeOf(bytes.length)})`);
  return 0;
}

function sizeOf(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

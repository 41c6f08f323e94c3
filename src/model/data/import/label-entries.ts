/** Finds out what an archive's entries are: files of IDX, pictures named in tables, or pictures in folders. */
import { closeSync, openSync } from 'node:fs';
import type { ArchiveEntry, ListedArchive } from './archive.ts';
import { isIdxName } from './idx-names.ts';
import { layOutByTables, layOutFolders, type Table } from './layout.ts';
import type { Limits } from './limits.ts';
import { isMetadataName, readMetadata } from './metadata.ts';
import { type EntryFault, type EntryProblem, fault, printable } from './problem.ts';
import { readEntry } from './read-entry.ts';
import { type Slots, slotsOfFiles, slotsOfIdx } from './slots.ts';

/** @param problems gets those of entries that are of no use @throws TrainyardError `IDX_INVALID`; the file system's error */
export async function labelEntries(
  listed: ListedArchive,
  limits: Limits,
  problems: EntryProblem[],
): Promise<Slots> {
  const { entries } = listed;
  const refuse = (parts: readonly string[], wrong: EntryFault) =>
    problems.push({ path: printable(parts.join('/')), ...wrong });
  const isIdx = ({ parts }: ArchiveEntry) => isIdxName(parts.at(-1)!);
  if (entries.some(isIdx)) {
    const expected = 'only IDX files, since there are some';
    for (const entry of entries)
      if (!isIdx(entry)) refuse(entry.parts, fault('LAYOUT_UNKNOWN', expected, 'another file'));
    return slotsOfIdx({ ...listed, entries: entries.filter(isIdx) }, limits);
  }
  const isTable = ({ parts }: ArchiveEntry) => isMetadataName(parts.at(-1)!);
  const pictures = entries.filter((entry) => !isTable(entry));
  const tables = readTables(listed.path, entries.filter(isTable), limits, refuse);
  const layout = tables.length > 0 ? layOutByTables(pictures, tables) : layOutFolders(pictures);
  for (const { parts, fault: wrong } of layout.unused) refuse(parts, wrong);
  return slotsOfFiles(layout);
}

function readTables(
  archive: string,
  entries: readonly ArchiveEntry[],
  limits: Limits,
  refuse: (parts: readonly string[], wrong: EntryFault) => void,
): Table[] {
  const file = openSync(archive, 'r');
  const tables: Table[] = [];
  let linesLeft = limits.entries; // of all tables together
  try {
    for (const { parts, place } of entries) {
      const read = readEntry(file, place);
      if (!read.ok) {
        refuse(parts, read.fault);
        continue;
      }
      const { rows, problems } = readMetadata(parts.at(-1)!, read.content, linesLeft);
      linesLeft -= Math.min(linesLeft, rows.length + problems.length);
      for (const { line, fault: wrong } of problems)
        refuse([...parts.slice(0, -1), `${parts.at(-1)!}:${line}`], wrong);
      tables.push({ folder: parts.slice(0, -1), rows });
    }
  } finally {
    closeSync(file);
  }
  return tables;
}

/** An archive as the rest of the import sees it: a file on disk, and where in it each entry lies. */
import type { EntryFault, EntryProblem } from './problem.ts';

/** Where the bytes of an entry lie in the archive. */
export type Place = {
  readonly size: number; // bytes, inflated
  readonly stored: number; // bytes in the archive
  readonly offset: number; // of the data in a tar, of the local header in a zip
  readonly local: LocalHeader | null; // null: a tar
};

/** What a zip's central directory says about an entry; its local header has to agree. */
export type LocalHeader = {
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly nameLength: number; // bytes
  readonly nameCrc32: number; // of the bytes of the name
  readonly end: number; // offset of what follows: the entry must not reach beyond it
};

export type ArchiveEntry = { readonly parts: readonly string[]; readonly place: Place };

export type ListedArchive = {
  readonly ok: true;
  readonly path: string; // of the file that the places refer to
  readonly entries: ArchiveEntry[];
  readonly problems: EntryProblem[];
  readonly ignored: number; // directories, system files
};

export type Read<Content> =
  | { readonly ok: true; readonly content: Content }
  | { readonly ok: false; readonly fault: EntryFault };

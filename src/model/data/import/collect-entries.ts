/** Judges entries by their headers while an archive is listed: by name, kind, size and ratio. */
import type { ArchiveEntry, Place } from './archive.ts';
import { isSystemFile, readName } from './entry-name.ts';
import { isIdxName } from './idx-names.ts';
import type { Limits } from './limits.ts';
import { isMetadataName } from './metadata.ts';
import { type EntryFault, type EntryProblem, fault, printable, type Refusal, refuse } from './problem.ts';

export class EntryCollector {
  readonly entries: ArchiveEntry[] = [];
  readonly problems: EntryProblem[] = [];
  ignored = 0;
  readonly #limits: Limits;
  readonly #archiveBytes: number;
  #count = 0;
  #inflated = 0; // bytes

  constructor(limits: Limits, archiveBytes: number) {
    this.#limits = limits;
    this.#archiveBytes = archiveBytes;
  }

  /** `kind`: what is wrong with it besides its name; null for a plain file. Returns why the archive is refused, if it is. */
  add(name: string, place: Place, kind: EntryFault | null): Refusal | null {
    this.#count++;
    this.#inflated += place.size;
    const refusal = this.#limit();
    if (refusal) return refusal;
    const read = readName(name, this.#limits.pathLength);
    if (!read.ok) return this.#refuseEntry(name, read.fault);
    if (isSystemFile(read.parts)) {
      this.ignored++;
      return null;
    }
    const wrong = kind ?? faultOf(read.parts, place, this.#limits);
    if (wrong) return this.#refuseEntry(name, wrong);
    this.entries.push({ parts: read.parts, place });
    return null;
  }

  /** Directories hold nothing, but they count, lest an archive of nothing else keeps the import busy. */
  addDirectory(): Refusal | null {
    this.#count++;
    this.ignored++;
    return this.#limit();
  }

  #refuseEntry(name: string, wrong: EntryFault): null {
    this.problems.push({ path: printable(name), ...wrong });
    return null;
  }

  #limit(): Refusal | null {
    const { entries, inflatedBytes, archiveRatio, smallBytes } = this.#limits;
    if (this.#count > entries) return tooManyEntries(entries, `more`);
    if (this.#inflated > inflatedBytes) {
      const message = `expected at most ${inflatedBytes} bytes inflated, got more; leave out what is no picture, or scale pictures down`;
      return refuse('ARCHIVE_TOO_LARGE', message);
    }
    const isBomb = this.#inflated > 64 * smallBytes && this.#inflated > archiveRatio * this.#archiveBytes;
    return isBomb ? bomb(archiveRatio) : null;
  }
}

export function tooManyEntries(limit: number, got: string): Refusal {
  const message = `expected at most ${limit} entries, got ${got}; divide the pictures among several data sets, or send IDX files`;
  return refuse('ARCHIVE_TOO_MANY_ENTRIES', message);
}

export function bomb(ratio: number): Refusal {
  const message = `expected an archive that inflates to at most ${ratio} times its size, got more; pack the pictures anew`;
  return refuse('ARCHIVE_BOMB', message);
}

const archiveNames = /\.(?:zip|tar|gz|tgz|bz2|tbz2?|xz|txz|zst|7z|rar|jar)$/iu;

function faultOf(parts: readonly string[], { size, stored }: Place, limits: Limits): EntryFault | null {
  const name = parts.at(-1)!;
  if (archiveNames.test(name) && !isIdxName(name))
    return fault('ARCHIVE_NESTED', 'a picture', 'an archive within the archive; unpack it first');
  const most = mostBytes(name, limits);
  if (size > most) return fault('ENTRY_TOO_LARGE', `at most ${most} bytes`, `${size}`);
  if (size > limits.smallBytes && size > limits.entryRatio * stored) {
    const got = `${stored} bytes that inflate to ${size}`;
    return fault('ENTRY_BOMB', `bytes that inflate to at most ${limits.entryRatio} times their number`, got);
  }
  return null;
}

function mostBytes(name: string, limits: Limits): number {
  if (isIdxName(name)) return limits.idxBytes;
  return isMetadataName(name) ? limits.tableBytes : limits.pictureBytes;
}

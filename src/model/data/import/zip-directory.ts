/**
 * Lists a zip by its central directory. Sources: PKWARE, APPNOTE.TXT 6.3.10; D. Fifield, A better zip bomb, WOOT 2019
 * (entries that overlap).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import {
  type Entry,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  RandomAccessReader,
  type ZipFile,
} from 'yauzl';
import { messageOf } from '../../../lib/errors.ts';
import { isSystemError } from '../../../lib/files.ts';
import type { ListedArchive, LocalHeader } from './archive.ts';
import { EntryCollector, tooManyEntries } from './collect-entries.ts';
import type { Limits } from './limits.ts';
import { type EntryFault, fault, type Refusal, refuse } from './problem.ts';

const blockBytes = 256 * 1024;
const localHeaderBytes = 30; // without name and extra field
const directorySignature = 0x02014b50;
const endSignature = 0x06054b50;
const endSignatures = [endSignature, 0x06064b50, 0x05054b50]; // of the end record, ZIP64's, a digital signature
const endBytes = 22; // of the end record, without the comment
const longestComment = 0xffff;

/** @throws the file system's error */
export async function listZip(path: string, limits: Limits): Promise<ListedArchive | Refusal> {
  const reader = new BlockReader(path);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, reader.size, {
      decodeStrings: false,
      validateEntrySizes: false,
      autoClose: false,
    });
    return await listEntries(zip, reader, limits);
  } catch (error) {
    if (isSystemError(error)) throw error;
    return refusalFor(messageOf(error));
  } finally {
    reader.end();
  }
}

/** yauzl's errors have no code. */
function refusalFor(reason: string): Refusal {
  if (reason.includes('End of central directory record signature not found')) {
    const message = 'expected a whole zip, got one whose end is missing; send it again';
    return refuse('ARCHIVE_TRUNCATED', message);
  }
  if (reason.includes('comment length')) return ambiguous(reason);
  return refuse('ARCHIVE_DAMAGED', `expected a zip that can be read, got: ${reason}; pack it anew`);
}

function ambiguous(got: string): Refusal {
  return refuse('ARCHIVE_AMBIGUOUS', `expected a zip with one table of contents, got: ${got}; pack it anew`);
}

/** The bytes that an entry takes up at least: its extra field is known only once the local header is read. */
type Extent = { readonly start: number; readonly end: number; readonly local: Mutable<LocalHeader> };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function listEntries(
  zip: ZipFile,
  reader: BlockReader,
  limits: Limits,
): Promise<ListedArchive | Refusal> {
  if (zip.entryCount > limits.entries) return tooManyEntries(limits.entries, `${zip.entryCount}`);
  const collector = new EntryCollector(limits, reader.size);
  const extents: Extent[] = [];
  const directory = Number(zip.readEntryCursor); // its offset; yauzl's types call it a boolean
  for await (const entry of zip.eachEntry()) {
    const extent = extentOf(entry);
    extents.push(extent);
    const refusal = add(collector, entry, extent);
    if (refusal) return refusal;
  }
  const next = reader.uint32(Number(zip.readEntryCursor));
  if (next === directorySignature)
    return ambiguous(`${zip.entryCount} entries by its end record, more in its directory`);
  if (!endSignatures.includes(next)) return ambiguous('one that does not reach up to its end record');
  if (countEnds(reader) > 1) return ambiguous('several end records');
  const overlap = separate(extents, directory);
  if (overlap) return overlap;
  const { entries, problems, ignored } = collector;
  return { ok: true, path: reader.path, entries, problems, ignored };
}

/** How many end records there could be, each with a comment up to the end of the file. */
function countEnds(reader: BlockReader): number {
  const tail = reader.bytes(Math.max(0, reader.size - endBytes - longestComment), reader.size);
  let count = 0;
  for (let at = 0; at + endBytes <= tail.length; at++) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    if (at + endBytes + tail.readUInt16LE(at + 20) === tail.length) count++;
  }
  return count;
}

function add(collector: EntryCollector, entry: Entry, { local }: Extent): Refusal | null {
  const name = nameOf(entry);
  const kind = kindOf(entry);
  if (kind === 'directory' || /[/\\]$/u.test(name)) return collector.addDirectory();
  const { uncompressedSize: size, compressedSize: stored, relativeOffsetOfLocalHeader: offset } = entry;
  return collector.add(name, { size, stored, offset, local }, kind);
}

function extentOf(entry: Entry): Extent {
  const { relativeOffsetOfLocalHeader: start, fileNameRaw, compressedSize } = entry;
  const end = start + localHeaderBytes + fileNameRaw.length + compressedSize;
  const local = {
    isDeflated: entry.compressionMethod === 8,
    crc32: entry.crc32,
    nameLength: fileNameRaw.length,
    nameCrc32: crc32(fileNameRaw),
    end,
  };
  return { start, end, local };
}

/** Tells each entry where the next one begins. Returns a refusal where two take up the same bytes. */
function separate(extents: Extent[], directory: number): Refusal | null {
  const inOrder = extents.toSorted((a, b) => a.start - b.start);
  for (const [i, { end, local }] of inOrder.entries()) {
    local.end = inOrder[i + 1]?.start ?? directory;
    if (end > local.end) {
      const got =
        i + 1 < inOrder.length ? 'two that share bytes' : 'one that reaches into the table of contents';
      return refuse('ARCHIVE_OVERLAPPING', `expected entries one after the other, got ${got}; pack it anew`);
    }
  }
  return null;
}

const unixSystems = [3, 19]; // "version made by": Unix, macOS
const [typeMask, directoryType, fileType] = [0o170000, 0o040000, 0o100000];
const kinds = new Map([
  [0o120000, 'a symbolic link'],
  [0o020000, 'a character device'],
  [0o060000, 'a block device'],
  [0o010000, 'a named pipe'],
  [0o140000, 'a socket'],
]);

/** Null for a plain file that can be read. */
function kindOf(entry: Entry): 'directory' | EntryFault | null {
  const isUnix = unixSystems.includes(entry.versionMadeBy >> 8);
  const type = isUnix ? (entry.externalFileAttributes >>> 16) & typeMask : 0;
  if (type === directoryType) return 'directory';
  if (type !== 0 && type !== fileType)
    return fault('ENTRY_NOT_A_FILE', 'a file', kinds.get(type) ?? `an entry of type ${type.toString(8)}`);
  if (entry.isEncrypted()) return fault('ENTRY_ENCRYPTED', 'an entry without a password', 'an encrypted one');
  const { compressionMethod: method, compressedSize, uncompressedSize } = entry;
  if (method !== 0 && method !== 8)
    return fault('ENTRY_COMPRESSION_UNSUPPORTED', 'an entry that is stored or deflated', `method ${method}`);
  if (method === 0 && compressedSize !== uncompressedSize)
    return fault('ENTRY_DAMAGED', `${uncompressedSize} bytes as declared`, `${compressedSize}`);
  return null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Flag = 0x800;

/** Many programs write UTF-8 and don't say so. What is not UTF-8 is code page 437, as the specification has it. */
function nameOf({ fileNameRaw, generalPurposeBitFlag: flags, extraFields }: Entry): string {
  try {
    return utf8.decode(fileNameRaw);
  } catch {
    if ((flags & utf8Flag) !== 0) return fileNameRaw.toString(); // with U+FFFD, which is refused
    return getFileNameLowLevel(flags, fileNameRaw, extraFields, true);
  }
}

/** Reads a file in blocks: headers are small and lie side by side. */
class BlockReader extends RandomAccessReader {
  readonly path: string;
  readonly size: number; // bytes
  readonly #file: number;
  readonly #block = Buffer.alloc(blockBytes);
  #start = 0;
  #length = 0;

  constructor(path: string) {
    super();
    this.path = path;
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (length > blockBytes) {
      callback(null, readSync(this.#file, target, offset, length, position));
      return;
    }
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = readSync(this.#file, this.#block, 0, blockBytes, position);
    }
    const from = position - this.#start;
    const read = this.#block.copy(target, offset, from, Math.min(from + length, this.#length));
    callback(null, read);
  }

  /** 0 at the end of the file. */
  uint32(position: number): number {
    return Buffer.concat([this.bytes(position, position + 4), Buffer.alloc(4)]).readUInt32LE();
  }

  bytes(from: number, to: number): Buffer {
    const bytes = Buffer.alloc(to - from);
    return bytes.subarray(0, readSync(this.#file, bytes, 0, bytes.length, from));
  }

  end(): void {
    closeSync(this.#file);
  }
}

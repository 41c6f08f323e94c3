/** Lists a tar by its headers. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { extract, type Header as TarHeader } from 'tar-stream';
import { messageOf } from '../../../lib/errors.ts';
import { isSystemError } from '../../../lib/files.ts';
import type { ListedArchive } from './archive.ts';
import { EntryCollector } from './collect-entries.ts';
import type { Limits } from './limits.ts';
import { type EntryFault, fault, type Refusal, refuse } from './problem.ts';

const blockBytes = 512;

/** What tar-stream says of an entry and its types don't. */
type Header = Omit<TarHeader, 'type'> & { readonly type: string | null; readonly byteOffset: number };

/** @param archiveBytes of the archive that was sent, which a gzip inflates to more @throws the file system's error */
export async function listTar(
  path: string,
  limits: Limits,
  archiveBytes: number,
): Promise<ListedArchive | Refusal> {
  const collector = new EntryCollector(limits, archiveBytes);
  let end = 0; // of the last entry, padded
  const listed = await walk(path, (header) => {
    const { size } = header;
    end = header.byteOffset + Math.ceil(size / blockBytes) * blockBytes;
    if (header.type === 'directory') return collector.addDirectory();
    const place = { size, stored: size, offset: header.byteOffset, local: null };
    return collector.add(header.name, place, kindOf(header));
  });
  if (listed) return listed;
  if (!(await endsAt(path, end))) {
    const message = 'expected a tar that ends with blocks of zeros, got one that was cut off; send it again';
    return refuse('ARCHIVE_TRUNCATED', message);
  }
  const { entries, problems, ignored } = collector;
  return { ok: true, path, entries, problems, ignored };
}

/** Calls `see` for each entry until it returns a refusal. */
async function walk(path: string, see: (header: Header) => Refusal | null): Promise<Refusal | null> {
  const entries = extract();
  const stop = new AbortController();
  let refusal: Refusal | null = null;
  entries.on('entry', (header, content, next) => {
    refusal ??= see(header as Header);
    content.on('error', () => {}); // the archive's, which the pipeline reports
    content.once('end', next);
    content.resume();
    if (refusal) stop.abort();
  });
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), entries, { signal: stop.signal });
  } catch (error) {
    if (isSystemError(error)) throw error;
    refusal ??= refusalFor(messageOf(error));
  }
  return refusal;
}

/** tar-stream's errors have no code. */
function refusalFor(reason: string): Refusal {
  return reason === 'Unexpected end of data'
    ? refuse('ARCHIVE_TRUNCATED', 'expected a whole tar, got one that was cut off; send it again')
    : refuse('ARCHIVE_DAMAGED', `expected a tar that can be read, got: ${reason}; pack it anew`);
}

async function endsAt(path: string, end: number): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, end);
    return bytesRead === blockBytes && buffer.every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

const files = ['file', 'contiguous-file'];

function kindOf({ type, size }: Header): EntryFault | null {
  if (!type || !files.includes(type))
    return fault('ENTRY_NOT_A_FILE', 'a file', type ? `a ${type}` : 'an entry of an unknown type');
  return Number.isSafeInteger(size) ? null : fault('ENTRY_DAMAGED', 'a size', `${size}`);
}

/**
 * Reads one entry of an archive, synchronously: it runs in threads of its own. What inflates is bounded by the size that
 * the directory declares, which was judged before.
 */
import { readSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { messageOf } from '../../../lib/errors.ts';
import { isCode } from '../../../lib/files.ts';
import type { LocalHeader, Place, Read } from './archive.ts';
import { type EntryFault, fault } from './problem.ts';

const headerBytes = 30; // of a local header, without name and extra field
const usualExtra = 64; // bytes of an extra field, to be read with the rest
const localSignature = 0x04034b50;
const descriptorFlag = 0x8; // checksum and sizes follow the data

/** @param file the archive, open @throws the file system's error */
export function readEntry(file: number, place: Place): Read<Buffer> {
  const { local } = place;
  if (!local) return { ok: true, content: readAt(file, place.offset, place.size) };
  const located = locate(file, place, local);
  if (!located.ok) return located;
  const { content: stored } = located;
  const inflated = local.isDeflated ? inflate(stored, place.size) : ({ ok: true, content: stored } as const);
  if (!inflated.ok) return inflated;
  const checksum = crc32(inflated.content);
  return checksum === local.crc32 ? inflated : damaged(`CRC-32 ${hex(local.crc32)}`, hex(checksum));
}

/** Finds the data of an entry behind its local header, which has to agree with the directory. */
function locate(file: number, place: Place, local: LocalHeader): Read<Buffer> {
  const { offset, stored } = place;
  const guess = headerBytes + local.nameLength + usualExtra + stored;
  const bytes = readAt(file, offset, Math.min(local.end - offset, guess));
  const start = startIn(bytes, place, local);
  if (!start.ok) return start;
  if (start.content + stored <= bytes.length)
    return { ok: true, content: bytes.subarray(start.content, start.content + stored) };
  return { ok: true, content: readAt(file, offset + start.content, stored) };
}

/** Where in the archive the data of a zip's entry begins. @param file the archive, open */
export function localDataStart(file: number, place: Place): Read<number> {
  const local = place.local!;
  const header = readAt(file, place.offset, headerBytes + local.nameLength);
  const start = startIn(header, place, local);
  return start.ok ? { ok: true, content: place.offset + start.content } : start;
}

/** Likewise from the local header on, with which `header` begins. */
function startIn(header: Buffer, { offset, stored }: Place, local: LocalHeader): Read<number> {
  const wrong = disagreement(header, stored, local);
  if (wrong) return { ok: false, fault: wrong };
  const start = headerBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const isInside = offset + start + stored <= local.end;
  return isInside ? { ok: true, content: start } : damaged(`${stored} bytes before the next entry`, 'fewer');
}

/** What the local header says otherwise than the directory; null where they agree. */
function disagreement(header: Buffer, stored: number, local: LocalHeader): EntryFault | null {
  const differs = (what: string) =>
    fault('ENTRY_DAMAGED', 'a header that agrees with the table of contents', what);
  if (header.length < headerBytes + local.nameLength || header.readUInt32LE(0) !== localSignature)
    return differs('no header where the entry should begin');
  const name = header.subarray(headerBytes, headerBytes + header.readUInt16LE(26));
  if (name.length !== local.nameLength || crc32(name) !== local.nameCrc32) return differs('another name');
  if (header.readUInt16LE(8) !== (local.isDeflated ? 8 : 0)) return differs('another compression');
  if ((header.readUInt16LE(6) & descriptorFlag) !== 0) return null;
  if (header.readUInt32LE(14) !== local.crc32) return differs('another CRC-32');
  const size = header.readUInt32LE(18);
  return size === stored || size === 0xffffffff ? null : differs('another size');
}

function inflate(bytes: Buffer, size: number): Read<Buffer> {
  try {
    // zlib takes no limit of 0
    const content = inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
    return content.length === size
      ? { ok: true, content }
      : damaged(`${size} bytes inflated`, `${content.length}`);
  } catch (error) {
    if (!isCode(error, 'ERR_BUFFER_TOO_LARGE')) return damaged('a deflated entry', messageOf(error));
    return { ok: false, fault: fault('ENTRY_BOMB', `${size} bytes inflated, as declared`, 'more') };
  }
}

function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(file, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

const hex = (value: number) => value.toString(16).padStart(8, '0');

function damaged(expected: string, got: string): Read<never> {
  return { ok: false, fault: fault('ENTRY_DAMAGED', expected, got) };
}

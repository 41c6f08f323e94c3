/** A small zip writer, which can also write what no honest program would. Source: PKWARE, APPNOTE.TXT 6.3.10. */
import { crc32, deflateRawSync } from 'node:zlib';

export type ZipEntry = {
  readonly name: string | Uint8Array;
  readonly data: Uint8Array;
  readonly deflate?: boolean; // default: stored
  readonly encrypted?: boolean; // only says so
  readonly mode?: number; // Unix's, 0o100644 by default
  readonly method?: number; // says another than it is
  readonly crc32?: number; // says another
  readonly size?: number; // says that it inflates to another number of bytes
  readonly localName?: string; // another in the local header
  readonly sharesPrevious?: boolean; // has no bytes of its own: its header is that of the entry before
};

export type ZipOptions = {
  readonly declared?: number; // entries, by the end record
  readonly comment?: Uint8Array;
};

const utf8Flag = 0x800;
const unix = 3 << 8;

type Written = { readonly local: Buffer; readonly central: (offset: number) => Buffer };

export function makeZip(entries: readonly ZipEntry[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let [offset, previous] = [0, 0];
  for (const entry of entries) {
    const { local, central } = write(entry);
    if (!entry.sharesPrevious) {
      parts.push(local);
      previous = offset;
      offset += local.length;
    }
    directory.push(central(previous));
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, endRecord(entries.length, central.length, offset, options)]);
}

function write(entry: ZipEntry): Written {
  const { data, deflate = false, encrypted = false, mode = 0o100644 } = entry;
  const stored = deflate ? deflateRawSync(data, { level: 6 }) : data;
  const [name, localName] = [Buffer.from(entry.name), Buffer.from(entry.localName ?? entry.name)];
  const common = Buffer.alloc(26); // what both headers have, from "version needed" on
  common.writeUInt16LE(20);
  common.writeUInt16LE((typeof entry.name === 'string' ? utf8Flag : 0) | Number(encrypted), 2);
  common.writeUInt16LE(entry.method ?? (deflate ? 8 : 0), 4);
  common.writeUInt32LE(entry.crc32 ?? crc32(data), 10);
  common.writeUInt32LE(stored.length, 14);
  common.writeUInt32LE(entry.size ?? data.length, 18);
  const signed = (signature: number, nameLength: number) => {
    const header = Buffer.concat([uint32(signature), common]);
    header.writeUInt16LE(nameLength, 26);
    return header;
  };
  const central = (offset: number) => {
    const header = signed(0x02014b50, name.length);
    const [start, rest] = [header.subarray(0, 4), header.subarray(4)];
    const attributes = Buffer.alloc(14); // from the comment's length on
    attributes.writeUInt32LE((mode << 16) >>> 0, 6);
    attributes.writeUInt32LE(offset, 10);
    return Buffer.concat([start, uint16(unix | 20), rest, attributes, name]);
  };
  return { local: Buffer.concat([signed(0x04034b50, localName.length), localName, stored]), central };
}

/** In the form of ZIP64 too where there are too many entries. */
export function endRecord(
  count: number,
  bytes: number,
  offset: number,
  { declared = count, comment = Buffer.alloc(0) }: ZipOptions = {},
): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  const few = Math.min(declared, 0xffff);
  end.writeUInt16LE(few, 8);
  end.writeUInt16LE(few, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  const wide = declared > 0xffff ? zip64Records(declared, bytes, offset) : Buffer.alloc(0);
  return Buffer.concat([wide, end, comment]);
}

function zip64Records(count: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

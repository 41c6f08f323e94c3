/** Tells archives apart by their first bytes, whatever their names. */
import { typeOf as pictureTypeOf } from '../../image/formats/signatures.ts';
import { type Refusal, refuse } from './problem.ts';

/** As many bytes as it takes to tell. */
export const archiveHeadBytes = 512;

export type ArchiveType = 'zip' | 'tar' | 'gzip';

/** First bytes, as Latin-1, of archives that are not read. */
const otherTypes: readonly (readonly [start: string, name: string])[] = [
  ['7z\xbc\xaf\x27\x1c', 'a 7z; pack it as a zip'],
  ['Rar!', 'a RAR; pack it as a zip'],
  ['BZh', 'a bzip2; pack it as a tar.gz'],
  ['\xfd7zXZ', 'an xz; pack it as a tar.gz'],
  ['\x28\xb5\x2f\xfd', 'a Zstandard; pack it as a tar.gz'],
  ['PK\x07\x08', 'a zip in several parts; pack it as one'],
];

/** @param head the first 512 bytes, or all where there are fewer */
export function archiveTypeOf(head: Buffer): ArchiveType | Refusal {
  const text = head.toString('latin1');
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return 'zip';
  if (text.startsWith('\x1f\x8b')) return 'gzip';
  if (text.startsWith('ustar', 257)) return 'tar';
  const isEmptyTar = head.length === archiveHeadBytes && head.every((byte) => byte === 0);
  if (isEmptyTar) return 'tar';
  return refuse('ARCHIVE_TYPE_UNKNOWN', `expected a zip, a tar or a tar.gz, got ${otherTypeOf(head, text)}`);
}

function otherTypeOf(head: Buffer, text: string): string {
  if (text === '') return 'no bytes';
  const archive = otherTypes.find(([start]) => text.startsWith(start))?.[1];
  if (archive !== undefined) return archive;
  const picture = pictureTypeOf(head);
  return picture.format === null
    ? picture.name
    : `a picture (${picture.format}); put it into a folder that is named after its label, beside others, and pack the folders as a zip`;
}

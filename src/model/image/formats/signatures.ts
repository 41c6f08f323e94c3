/** Tells the format of a file by its first bytes. */

export const formats = ['PNG', 'JPEG', 'WebP', 'AVIF', 'GIF', 'TIFF'] as const;

/** A format that is decoded. */
export type Format = (typeof formats)[number];

/** For messages: "PNG, JPEG, … or TIFF". */
export const pictureTypes = `${formats.slice(0, -1).join(', ')} or ${formats.at(-1)!}`;

/** RFC 2046, 3302, 9649 and the AVIF specification. */
export const pictureMediaTypes = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/avif',
  'image/gif',
  'image/tiff',
] as const;

const headBytes = 512;

/** First bytes, as Latin-1; text comes last, as it may be almost anything. */
const signatures: readonly (readonly [type: string, matches: (head: string) => boolean])[] = [
  ['PNG', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (head) => head.startsWith('\xff\xd8')],
  ['GIF', (head) => head.startsWith('GIF8')],
  ['WebP', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
  ['TIFF', (head) => head.startsWith('II*\0') || head.startsWith('MM\0*')],
  ['AVIF', (head) => brandsOf(head).some((brand) => brand === 'avif' || brand === 'avis')],
  ['a HEIC', (head) => brandsOf(head).some((brand) => /^(?:he[iv]|mif1|msf1)/.test(brand))],
  ['a video', (head) => brandsOf(head).length > 0],
  ['a BMP', (head) => head.startsWith('BM') && head.startsWith('\0\0\0\0', 6)], // four reserved bytes
  ['a JPEG XL', (head) => head.startsWith('\xff\x0a') || head.startsWith('JXL \r\n\x87\n', 4)],
  ['a BigTIFF', (head) => head.startsWith('II+\0') || head.startsWith('MM\0+')],
  ['a PDF', (head) => head.startsWith('%PDF')],
  ['an SVG', (head) => isText(head) && head.includes('<svg')],
  ['text', isText],
];

const advices: Readonly<Record<string, string>> = {
  'a HEIC':
    'send it as a JPEG: on an iPhone choose Settings › Camera › Formats › Most Compatible before taking it, or share it with the option Most Compatible; elsewhere export it',
  'a video': 'send one frame of it as a PNG',
};

export type FileType =
  | { readonly format: Format }
  | { readonly format: null; readonly name: string; readonly advice: string };

/** The first bytes alone decide; what a client declares is no evidence. */
export function typeOf(bytes: Uint8Array): FileType {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, headBytes));
  const text = head.toString('latin1');
  const name = signatures.find(([, matches]) => matches(text))?.[0] ?? 'bytes of an unknown type';
  const format = formats.find((known) => known === name);
  return format ? { format } : { format: null, name, advice: advices[name] ?? 'convert it to PNG' };
}

function isText(head: string): boolean {
  return /^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(head);
}

/** The major and the compatible brands of an ISO base media file (ISO/IEC 14496-12, 4.3); none for another file. */
function brandsOf(head: string): string[] {
  if (!head.startsWith('ftyp', 4)) return [];
  const end = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE();
  const listed = head.slice(16, Math.min(end, headBytes)).match(/[^]{4}/g) ?? [];
  return [head.slice(8, 12), ...listed]; // between them is the minor version
}

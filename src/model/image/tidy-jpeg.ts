/**
 * JPEGs that are whole but untidy: stray bytes between segments, or no end marker. Viewers open them without a
 * word; a strict decoder takes them for damaged ones. Source of the format: ITU-T T.81, annex B.
 */
import { nextMarker } from './formats/jpeg-header.ts';

const startOfScan = 0xda;
const endOfImage = Buffer.from([0xff, 0xd9]);
const progressiveFrame = Buffer.from([0xff, 0xc2]);
const mostSegments = 2000; // before the first scan; an ICC profile takes 255 at most, EXIF and the like a few
/** libjpeg's warnings about pixels that were lost. Its other warnings are about the form of the file. */
const loss = /premature end|bad (huffman|arithmetic) code|instead of RST/i;
const strayBytes = /(\d+) extraneous bytes/i;
const fewStrayBytes = 3;

/**
 * Whether a decoder's message about this JPEG means that part of the picture is missing. More than a few stray bytes do
 * so in a progressive file: there a scan that lost its place ends early and leaves the rest of its bytes over.
 */
export function isLoss(message: string, bytes: Uint8Array): boolean {
  if (loss.test(message)) return true;
  const count = Number(strayBytes.exec(message)?.[1] ?? 0);
  return count > fewStrayBytes && viewOf(bytes).includes(progressiveFrame);
}

/**
 * The same JPEG without bytes between the segments before the first scan, without zeros that pad the last scan, and
 * with an end marker. The scans themselves are copied, so that a strict decoder still finds what they lack. Null where
 * the segments can't be followed.
 */
export function tidyJpeg(bytes: Uint8Array): Buffer | null {
  const file = viewOf(bytes);
  const parts = [file.subarray(0, 2)]; // start of image
  let start = nextMarker(file, 2);
  for (let segments = 0; start !== -1 && segments < mostSegments; segments++) {
    if (file[start + 1] === startOfScan) {
      return Buffer.concat([...parts, withoutPadding(file.subarray(start)), endOfImage]);
    }
    if (start + 4 > file.length) return null;
    const end = start + 2 + file.readUInt16BE(start + 2);
    parts.push(file.subarray(start, end));
    start = nextMarker(file, end);
  }
  return null;
}

/** The scans up to the end marker, if there is one, without the zeros before it. */
function withoutPadding(scans: Buffer): Buffer {
  const marker = scans.indexOf(endOfImage);
  let end = marker === -1 ? scans.length : marker;
  while (scans[end - 1] === 0 && scans[end - 2] !== 0xff) end--; // after 0xff a zero is stuffing
  return scans.subarray(0, end);
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * JPEGs that are whole but untidy: stray bytes between segments, or no end marker. Viewers open them without a
 * word; a strict decoder takes them for damaged ones. Source of the format: ITU-T T.81, annex B.
 */

const startOfScan = 0xda;
const endOfImage = Buffer.from([0xff, 0xd9]);
/** libjpeg's warnings about pixels that were lost. Its other warnings are about the form of the file. */
const loss = /premature end|bad (huffman|arithmetic) code|instead of RST/i;

/** Whether a decoder's message means that part of the picture is missing. */
export function isLoss(message: string): boolean {
  return loss.test(message);
}

/**
 * The same JPEG without bytes between the segments before the first scan, and with an end marker. The scans
 * themselves are copied, so that a strict decoder still finds what they lack. Null where segments can't be followed.
 */
export function tidyJpeg(bytes: Uint8Array): Buffer | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [file.subarray(0, 2)]; // start of image
  for (let start = nextMarker(file, 2); start !== -1; ) {
    if (file[start + 1] === startOfScan) {
      const scans = file.subarray(start);
      return Buffer.concat([...parts, scans, ...(scans.includes(endOfImage) ? [] : [endOfImage])]);
    }
    if (start + 4 > file.length) return null;
    const end = start + 2 + file.readUInt16BE(start + 2);
    parts.push(file.subarray(start, end));
    start = nextMarker(file, end);
  }
  return null;
}

/** Where the next segment starts: 0xff, then neither a fill byte nor a stuffed zero. -1 where none follows. */
function nextMarker(file: Buffer, from: number): number {
  let start = file.indexOf(0xff, from);
  while (start !== -1 && (file[start + 1] === 0xff || file[start + 1] === 0)) {
    start = file.indexOf(0xff, start + 1);
  }
  return start;
}

/** How a JPEG was coded, from the segments before its first scan. Source: ITU-T T.81, annex B. */

export type JpegHeader = {
  readonly width: number;
  readonly height: number;
  /** Whether a decoder has to keep the coefficients of the whole picture: it is progressive, or has a scan for each component. */
  readonly hasSeveralScans: boolean;
  readonly coefficients: number; // of all components, in whole units of 8×8
};

type Frame = Omit<JpegHeader, 'hasSeveralScans'> & {
  readonly components: number;
  readonly isProgressive: boolean;
};

const mostSegments = 2000;
const startOfScan = 0xda;
const noFrames = [0xc4, 0xc8, 0xcc]; // tables and an extension, among the codes of frames
const progressive = [0xc2, 0xc6, 0xca, 0xce];

/** Null where the segments can't be followed. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Frame | null = null;
  let start = nextMarker(file, 2);
  for (let segments = 0; start !== -1 && segments < mostSegments; segments++) {
    const code = file[start + 1]!;
    if (start + 4 > file.length) return null;
    const end = start + 2 + file.readUInt16BE(start + 2);
    if (code === startOfScan) return frame && withScans(frame, file[start + 4] ?? 0);
    if (code >= 0xc0 && code <= 0xcf && !noFrames.includes(code)) {
      frame = readFrame(file.subarray(start + 4, end), progressive.includes(code));
    }
    start = nextMarker(file, end);
  }
  return null;
}

function withScans({ isProgressive, components, ...frame }: Frame, inFirstScan: number): JpegHeader {
  return { ...frame, hasSeveralScans: isProgressive || inFirstScan < components };
}

/** `body`: precision, height, width, number of components, then three bytes for each. */
function readFrame(body: Buffer, isProgressive: boolean): Frame | null {
  const components = body[5] ?? 0;
  if (components === 0 || body.length < 6 + 3 * components) return null;
  const height = body.readUInt16BE(1);
  const width = body.readUInt16BE(3);
  const sampling = Array.from({ length: components }, (_, i) => body[7 + 3 * i]!);
  const across = Math.max(1, ...sampling.map((factors) => factors >> 4));
  const down = Math.max(1, ...sampling.map((factors) => factors & 15));
  const units = Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down));
  const blocks = sampling.reduce((sum, factors) => sum + (factors >> 4) * (factors & 15), 0);
  return { width, height, components, isProgressive, coefficients: units * blocks * 64 };
}

/** Where the next segment starts: 0xff, then neither a fill byte nor a stuffed zero. -1 where none follows. */
export function nextMarker(file: Buffer, from: number): number {
  let start = file.indexOf(0xff, from);
  while (start !== -1 && (file[start + 1] === 0xff || file[start + 1] === 0)) {
    start = file.indexOf(0xff, start + 1);
  }
  return start;
}

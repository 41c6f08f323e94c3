/** How a WebP was coded. Source: RFC 9649, section 2. */

const mostChunks = 100;

/** Whether all that it has is one lossy picture, which can be decoded at a fraction of its size, rows at a time. */
export function isLossyWebp(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12;
  for (let chunks = 0; at + 8 <= file.length && chunks < mostChunks; chunks++) {
    const type = file.toString('latin1', at, at + 4);
    if (type === 'VP8 ') return true;
    if (type === 'VP8L' || type === 'ANMF') return false;
    const size = file.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
  return false;
}

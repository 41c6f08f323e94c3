/** What a manifest records of each file. */
import { createHash } from 'node:crypto';

export function checksum(bytes: Uint8Array): { sha256: string; bytes: number } {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength };
}

/** SHA-256 as it is written everywhere here: in hex. */
import { createHash } from 'node:crypto';

export function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The 32 bytes themselves. */
export function sha256Bytes(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

/** SHA-256 as it is written everywhere here: in hex. */
import { createHash } from 'node:crypto';

export function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

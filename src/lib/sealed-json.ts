/**
 * JSON files sealed with their own checksum. The file must equal, byte for byte, what sealing its content writes, so that
 * any change is detected, even of white space.
 */
import { messageOf } from './errors.ts';
import { sha256Of } from './sha256.ts';

export type Sealed<Content extends object> = Content & { readonly sha256: string };

export type OpenedSeal =
  | { readonly ok: true; readonly content: Sealed<object> }
  | { readonly ok: false; readonly reason: string };

/** Returns the content with its checksum, and the bytes of its file. */
export function seal<Content extends object>(content: Content): { sealed: Sealed<Content>; bytes: Buffer } {
  const sealed = { ...content, sha256: sha256Of(serialise(content)) };
  return { sealed, bytes: serialise(sealed) };
}

/** Reads and checks a file that `seal` made. */
export function openSealed(bytes: Uint8Array): OpenedSeal {
  let content: object;
  try {
    ({ ...content } = JSON.parse(Buffer.from(bytes).toString()) as object);
  } catch (error) {
    return { ok: false, reason: `expected JSON: ${messageOf(error)}` };
  }
  const { sha256: recorded, ...rest } = content as { sha256?: unknown };
  const { sealed, bytes: expected } = seal(rest);
  if (expected.equals(bytes)) return { ok: true, content: sealed };
  const got = sealed.sha256 === recorded ? 'the same in another layout' : JSON.stringify(recorded);
  return { ok: false, reason: `expected the SHA-256 of its content, ${sealed.sha256}, got ${got}` };
}

function serialise(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

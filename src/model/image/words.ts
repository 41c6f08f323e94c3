/** Bytes four at a time: most of a drawing is blank, and blank parts are passed over faster in words. */

export const wordBytes = 4;

/** The whole words of some bytes; a copy where these do not begin at a word. */
export function wordsOf(values: Uint8Array): Int32Array {
  // A copy by `new`, since `slice` of a Buffer is none.
  const { buffer, byteOffset, length } =
    values.byteOffset % wordBytes === 0 ? values : new Uint8Array(values);
  return new Int32Array(buffer, byteOffset, Math.floor(length / wordBytes));
}

/** The word whose four bytes are all `value`. */
export const wordOf = (value: number) => Math.imul(value, 0x01010101);

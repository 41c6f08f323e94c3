/** Shortens text of a client before a message repeats it. */

/**
 * The first `most` UTF-16 units of a text, or one less where a character outside the BMP would be cut in half. Surrogates
 * without their other half become U+FFFD: encodeURI, and so the status of a gRPC call, throws on them.
 */
export function startOfText(text: string, most: number): string {
  const isCutInHalf =
    /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(most));
  return text.slice(0, isCutInHalf ? most - 1 : most).replace(/\p{Surrogate}/gu, '\uFFFD');
}

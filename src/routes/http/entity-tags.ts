/** Entity tags of answers (RFC 9110, 8.8.3). */

/** Whether the client has this state already: `ifNoneMatch` names it, weakly or not, or is `*` (RFC 9110, 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || ifNoneMatch?.trim() === '*';
}

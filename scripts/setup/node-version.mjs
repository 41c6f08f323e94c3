/** Which Node versions run Trainyard and its tools. Old syntax only: an old Node has to read this file. */

const expected = 'Node.js 20.19 or newer of 20, 22.12 or newer of 22, or 23 and up';

/**
 * Why this version ('20.20.2') can't be used, or null. The tests' tools (vite) draw the line within 20 and 22, and leave
 * out 21.
 *
 * @param {string} version
 */
export function unsupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return null;
  return (
    `Trainyard expected ${expected}, got ${version} (${process.execPath}).\n` +
    "Install a newer one (a version manager or your system's packages have it), then run the command again."
  );
}

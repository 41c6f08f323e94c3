/** Which Node versions run Trainyard and its tools. Old syntax only: an old Node has to read this file. */

const expected = 'Node.js 20.19 or newer, 22.12 or newer, or 24';

/**
 * Why this version can't be used, or null. 21 and the first releases of 22 can't `require` ES modules.
 *
 * @param {string} version '20.20.2'
 * @returns {string | null}
 */
export function unsupportedNode(version) {
  const parts = version.split('.').map(Number);
  const major = parts[0];
  const minor = parts[1];
  const supported = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (supported) return null;
  return (
    'Trainyard expected ' +
    expected +
    ', got ' +
    version +
    ' (' +
    process.execPath +
    ').\n' +
    "Install a newer one (a version manager or your system's packages have it), then run the command again."
  );
}

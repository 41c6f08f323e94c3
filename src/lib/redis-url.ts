/** Validates a REDIS_URL before anything connects: ioredis replaces parts that it can't parse by defaults. */

const form = 'redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS';
const encoding =
  'with each special character of user and password percent-encoded: % as %25, # as %23, / as %2F, ? as %3F, @ as %40';

/** Says what is wrong; null if nothing is. The message shows no part that may belong to the password. */
export function problemOfRedisUrl(text: string): string | null {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return `expected ${form}`;
  if (!/^rediss?$/i.test(scheme!)) return `expected ${form}, got "${scheme}://"`;
  const [authority, tail] = [/^[^/?#]*/.exec(rest)![0], rest.replace(/^[^/?#]*/, '')];
  if (tail.includes('@')) return `expected ${form}, ${encoding}; got one of these as it is`;
  const userInfo = authority.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : '';
  if (userInfo.includes('@') || !isDecodable(userInfo))
    return `expected ${form}, ${encoding}; got one of these as it is`;
  if (!URL.canParse(text)) return `expected ${form}`;
  const { hostname, pathname, searchParams, hash } = new URL(text);
  if (hostname === '') return `expected ${form}, got no host`;
  if (hash !== '') return `expected ${form}, got a "#"; ${encoding.replace('with each', 'write each')}`;
  for (const database of [pathname.slice(1), searchParams.get('db') ?? '']) {
    if (/^\d*$/.test(database)) continue;
    return `expected the number of a database after the host, as in redis://HOST:6379/0, got "${database}"`;
  }
  return null;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Keeps requests to a server away from HTTP_PROXY. With NODE_USE_ENV_PROXY=1, Node (22.21, 24 and newer) sends every
 * request to that proxy, even requests to this machine, which a remote proxy can't answer.
 */

/** Adds the host of `url` to NO_PROXY, for this process and its children. Node reads it at each request. */
export function bypassProxy(url: string): void {
  const { hostname } = new URL(url); // IPv6 addresses in brackets, as Node compares them
  const hosts = (process.env['no_proxy'] ?? process.env['NO_PROXY'] ?? '').split(/[,\s]+/).filter(Boolean);
  if (hosts.includes(hostname) || hosts.includes('*')) return;
  for (const name of ['no_proxy', 'NO_PROXY']) process.env[name] = [...hosts, hostname].join(',');
}

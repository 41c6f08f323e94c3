/**
 * Requests that go straight to their server. With NODE_USE_ENV_PROXY=1, Node (22.21, 24 and newer) sends every request
 * to the proxy of HTTP_PROXY, also one to this machine, which a proxy elsewhere can't answer.
 */

/** Adds the host of `url` to NO_PROXY, for this process and those that it starts. Node reads it at each request. */
export function bypassProxy(url: string): void {
  const { hostname } = new URL(url); // an IPv6 address in brackets, as Node compares it
  const hosts = (process.env['no_proxy'] ?? process.env['NO_PROXY'] ?? '').split(/[,\s]+/).filter(Boolean);
  if (hosts.includes(hostname) || hosts.includes('*')) return;
  for (const name of ['no_proxy', 'NO_PROXY']) process.env[name] = [...hosts, hostname].join(',');
}

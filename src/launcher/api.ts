/** The launcher as a client of the API that it has started. */
import { setTimeout as delay } from 'node:timers/promises';
import { bypassProxy } from '../lib/no-proxy.ts';

export type Api = {
  /** The JSON of a path; of /health/ready also while it is a 503. */
  get<T>(path: string): Promise<T>;
};

const requestTimeoutMs = 5000;
const retryEveryMs = 100;

/**
 * Asks the server at `address`, with the first key where there is one, until it answers or `signal` aborts. Meanwhile
 * the server may be restarting or Redis be away: other parts report that, and the launcher waits.
 */
export function connectApi(address: string, [key]: readonly string[], signal: AbortSignal): Api {
  bypassProxy(address);
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const ask = (url: string) =>
    fetch(url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]) });
  return {
    get: async <T>(path: string) => {
      for (;;) {
        const response = await ask(`${address}${path}`).catch(() => null);
        if (response && isAnswer(response)) return (await response.json()) as T;
        if (response && response.status !== 503 && response.status !== 429) {
          const text = await response.text();
          throw new Error(`expected 200 from ${address}${path}, got ${response.status}: ${text}`);
        }
        await delay(waitMs(response), undefined, { signal });
      }
    },
  };
}

/** /health/ready has its say with a 503, too; every other one is a problem. */
function isAnswer({ ok, status, headers }: Response): boolean {
  return ok || (status === 503 && headers.get('content-type')?.startsWith('application/json') === true);
}

/** RATE_LIMIT may ask for patience. */
function waitMs(response: Response | null): number {
  return response?.status === 429 ? 1000 * Number(response.headers.get('retry-after')) : retryEveryMs;
}

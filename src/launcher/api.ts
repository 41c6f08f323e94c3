/** The launcher as a client of the API that it has started. */
import { setTimeout as delay } from 'node:timers/promises';

export type Api = {
  /** The JSON of a path; also of a 503, which /health/ready gives until every part is there. */
  get<T>(path: string): Promise<T>;
};

const requestTimeoutMs = 5000;

/** Asks at `address` with the first key, where there is one, until `signal` aborts; waits where RATE_LIMIT asks it to. */
export function connectApi(address: string, [key]: readonly string[], signal: AbortSignal): Api {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return {
    get: async <T>(path: string) => {
      for (;;) {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
        const response = await fetch(`${address}${path}`, { headers, signal: limit });
        if (response.ok || response.status === 503) return (await response.json()) as T;
        const text = await response.text();
        if (response.status !== 429) {
          throw new Error(`expected 200 from ${address}${path}, got ${response.status}: ${text}`);
        }
        await delay(1000 * Number(response.headers.get('retry-after')), undefined, { signal });
      }
    },
  };
}

/** The page's access to the API: sends the key, waits after a 429, notices when the server is away and when it is back. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  answerOf,
  type Call,
  createClient,
  pause,
  retryAfterOf,
  type TrainyardClient,
} from '../../../src/client/index.ts';
import { createKey, type Key } from './key.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

export type Api = {
  readonly client: TrainyardClient;
  readonly baseUrl: string; // the folder of the page, without a slash at the end
  readonly key: Key;
  readonly isAway: ReadonlySignal<boolean>;
  /** Grows when views have to reload their data: the server is back, or a key was entered. */
  readonly reloads: ReadonlySignal<number>;
  /** Seconds until the next request, where the server limits the rate (429). */
  readonly waitSeconds: ReadonlySignal<number | null>;
  /** `ask(client.GET('/models'))` */
  readonly ask: <T>(call: Promise<Call<T>>) => Promise<Outcome<NonNullable<T>>>;
  /** To be called when a request got no answer; polls the server until it answers. */
  readonly reportLoss: () => void;
};

const longestPauseMs = 5000;

/** @param baseUrl the folder of the page, without a slash at the end; a proxy may put it below a path */
export function createApi(baseUrl: string): Api {
  const isAway = signal(false);
  const reloads = signal(0);
  const waitSeconds = signal<number | null>(null);
  const key = createKey(() => reloads.value++);
  const untilBack = async () => {
    await untilItAnswers(baseUrl);
    isAway.value = false;
    reloads.value++;
  };
  const reportLoss = () => {
    if (isAway.value) return;
    isAway.value = true;
    void untilBack();
  };
  const client = createClient({ baseUrl, fetch: patientFetch({ key, reportLoss, waitSeconds }) });
  return { client, baseUrl, key, isAway, reloads, waitSeconds, ask, reportLoss };
}

const ask: Api['ask'] = (call) => outcomeOf(answerOf(call));

async function untilItAnswers(baseUrl: string): Promise<void> {
  const isThere = async () => {
    const limit = { cache: 'no-store', signal: AbortSignal.timeout(5000) } as const;
    return (await fetch(`${baseUrl}/health/live`, limit)).ok;
  };
  for (let ms = 1000; !(await isThere().catch(() => false)); ms = Math.min(ms + 1000, longestPauseMs)) {
    await pause(ms);
  }
}

type Patience = Pick<Api, 'key' | 'reportLoss'> & { readonly waitSeconds: Signal<number | null> };

/** A fetch that asks for a key after a 401 and waits after a 429, and then repeats the request. */
function patientFetch({ key, reportLoss, waitSeconds }: Patience): (request: Request) => Promise<Response> {
  const send = async (request: Request, sentKey: string | null) => {
    if (sentKey !== null) request.headers.set('authorization', `Bearer ${sentKey}`);
    try {
      const response = await fetch(request);
      if (isFromProxy(response)) reportLoss();
      return response;
    } catch (error) {
      if (!request.signal.aborted) reportLoss();
      throw error;
    }
  };
  return async (request) => {
    for (;;) {
      const sentKey = key.current();
      const response = await send(request.clone(), sentKey);
      if (response.status === 401) await key.untilAnother(sentKey, request.signal);
      else if (response.status === 429) {
        waitSeconds.value = Math.max(1, retryAfterOf(response) ?? 1);
        await pause(1000 * waitSeconds.value, request.signal);
        waitSeconds.value = null;
      } else return response;
      request.signal.throwIfAborted();
    }
  };
}

/** A proxy answers in place of a server that is down. */
function isFromProxy({ status, headers }: Response): boolean {
  return [500, 502, 503, 504].includes(status) && !headers.get('content-type')?.includes('json');
}

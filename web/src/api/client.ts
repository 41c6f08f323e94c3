/**
 * The page's way to the API: the generated client over a fetch that knows the key, waits where it is
 * told to, and notices when nobody answers.
 */
import {
  createClient,
  type Evaluation,
  type Job,
  type JobEvent,
  type JobMetrics,
  type Model,
  type Prediction,
  type Recipe,
} from '../../../src/client/index.ts';
import { baseUrl } from './base.ts';
import { askedToWait, reportLoss } from './connection.ts';
import { anotherKey, currentKey } from './key.ts';
import { type Answer, type Outcome, outcomeOf } from './outcome.ts';
import { pause } from './wait.ts';

export type { Evaluation, Job, JobEvent, JobMetrics, Model, Prediction, Recipe };
export type Epoch = Job['epochs'][number];

export const client = createClient({ baseUrl, fetch: fetchPatiently });

/** `ask(client.GET('/models'))`; see `outcomeOf`. */
export function ask<T>(request: Promise<Answer<T>>): Promise<Outcome<T>> {
  return outcomeOf(request);
}

/** Without a key it asks for one, with too many requests it waits; both end with an answer to `request`. */
async function fetchPatiently(request: Request): Promise<Response> {
  for (;;) {
    const key = currentKey();
    const response = await send(request.clone(), key);
    if (response.status === 401) await anotherKey(key, request.signal);
    else if (response.status === 429) await waitAsTold(response, request.signal);
    else return response;
    request.signal.throwIfAborted();
  }
}

async function send(request: Request, key: string | null): Promise<Response> {
  if (key !== null) request.headers.set('authorization', `Bearer ${key}`);
  try {
    const response = await fetch(request);
    if (isProxysWord(response)) reportLoss();
    return response;
  } catch (error) {
    if (!request.signal.aborted) reportLoss();
    throw error;
  }
}

/** A proxy before a server that is gone answers in its place. */
function isProxysWord({ status, headers }: Response): boolean {
  return [500, 502, 503, 504].includes(status) && !headers.get('content-type')?.includes('json');
}

async function waitAsTold({ headers }: Response, signal: AbortSignal): Promise<void> {
  const seconds = Math.max(1, Number(headers.get('retry-after')) || 1);
  askedToWait.value = seconds;
  await pause(seconds * 1000, signal);
  askedToWait.value = null;
}

/** What the tests of the page share: one service with a model, one browser, a context of its own for each test. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { launcherAlone, processesOf, startService, trainToEnd } from '../../harness/service.ts';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { pausing } from '../pausing.ts';
import { temporaryDirectory } from '../temporary.ts';
import { watchPage } from './watch-page.ts';

export type Stage = {
  readonly browser: Browser;
  readonly address: string;
  readonly dataDir: string;
  /** Opens the page for the running test, which fails if the page breaks any rule that all views keep. */
  open(hash?: string, options?: OpenOptions): Promise<Page>;
  queue(request: object): Promise<TrainJob>;
  /** Ends every job that has not ended. */
  cancelAll(): Promise<void>;
  close(): Promise<void>;
};

export type OpenOptions = BrowserContextOptions & {
  readonly address?: string; // of another server than the stage's
  /** What the browser may say of the requests that this test lets fail. */
  readonly mayFail?: RegExp;
  /** The page's timers go by a clock that `page.clock.fastForward` puts forward, so that a test does not wait for a poll. */
  readonly hasClock?: boolean;
};

/** Enough to read a drawn 7 (97 to 99 % sure), in four seconds. */
const firstTraining = { promote: 'unless-worse', trainImages: 6000, testImages: 1000 };
export const wide = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };
export const pollMs = 5000; // between two reads of a list that is shown
const KEEP_MODELS = '1000'; // version 1 is still looked at when many jobs have run
const PROMOTE = 'never'; // version 1 goes on answering, however well the jobs of the tests turn out
const stepPauseMs = 30; // an epoch of 16 steps takes half a second and more
const answersWithinMs = 60_000; // on a busy machine

export async function raiseStage(browser: Browser): Promise<Stage> {
  const dataDir = await temporaryDirectory();
  const environment = {
    FIRST_MODEL: 'false',
    KEEP_INPUTS: 'true',
    KEEP_MODELS,
    PROMOTE,
    REDIS_DEADLINE_MS: '10000', // the tests of Redis outages are elsewhere
    ...pausing(stepPauseMs),
  };
  const service = await startService(dataDir, environment, launcherAlone);
  const { address } = service;
  await trainToEnd(address, firstTraining);
  return {
    browser,
    address,
    dataDir,
    open: (hash = '', options = {}) => openPage(browser, hash, { address, ...options }),
    queue: (request) => post<TrainJob>(`${address}/jobs/train`, request),
    cancelAll: async () => {
      const { data } = (await (await fetch(`${address}/jobs?limit=100`)).json()) as { data: TrainJob[] };
      const open = data.filter(({ finishedAt }) => finishedAt === null);
      await Promise.all(open.map(({ id }) => post(`${address}/jobs/${id}/cancel`, {})));
    },
    close: async () => void (await service.end()),
  };
}

async function openPage(browser: Browser, hash: string, options: OpenOptions & { address: string }) {
  const { address, mayFail, hasClock = false, ...contextOptions } = options;
  const context = await browser.newContext({ viewport: wide, ...contextOptions });
  context.setDefaultTimeout(answersWithinMs);
  await context.addInitScript(watchPage);
  const wrong: string[] = [];
  const note = (text: string) => void (mayFail?.test(text) || wrong.push(text));
  context.on('page', (page) => noteFaults(page, address, note));
  if (hasClock) await context.clock.install();
  const page = await context.newPage();
  onTestFinished(async () => {
    await context.close();
    expect(wrong, 'what the browser complains of').toEqual([]);
  });
  await page.goto(`${address}/${hash}`);
  await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** Errors in the console (the browser puts violations of the CSP there), failed requests, other origins. */
function noteFaults(page: Page, address: string, note: (text: string) => void): void {
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => note(`thrown: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    if (why !== 'net::ERR_ABORTED') note(`no answer: ${why} (${request.url()})`); // what the page has called off
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const isOwn = origin === new URL(address).origin || protocol === 'data:' || protocol === 'blob:';
    if (!isOwn) note(`another origin is asked: ${request.url()}`);
  });
}

async function post<T>(url: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** The server of the stage, which the launcher starts again when it is gone. */
export function serverPid({ dataDir }: Stage): number {
  const line = processesOf(dataDir).find((each) => each.includes('dist/server.js'));
  if (line === undefined) throw new Error(`expected a server on ${dataDir}, found none`);
  return Number.parseInt(line);
}

/** Another server beside the stage's, on the same jobs and models, that wants a key. */
export async function startKeyedServer({ dataDir }: Stage, key: string) {
  const endpoint = await readFile(join(dataDir, 'redis', 'endpoint.json'), 'utf8');
  const { url } = JSON.parse(endpoint) as { url: string };
  const own = { API_KEY: key, PORT: '0', LOG_LEVEL: 'warn', KEEP_MODELS, PROMOTE };
  const env = { ...process.env, REDIS_URL: url, DATA_DIR: dataDir, ...own };
  const program = fileURLToPath(new URL('../../dist/server.js', import.meta.url));
  const child: ChildProcess = fork(program, { env });
  const [{ address }] = (await once(child, 'message')) as [{ address: string }];
  const close = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  return { address, close };
}

/** The system's Chromium, without a window: the one that set-up finds or installs (scripts/setup/browser.mjs). */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = [
  'chromium-headless-shell', // takes a third of the processor time of the others
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
];
const startsWithinMs = 30_000; // the first time, on a slow disk

export type Launched =
  | { readonly ok: true; readonly browser: Browser }
  | { readonly ok: false; readonly reason: string };

/** Starts CHROMIUM_PATH, or the first one on the PATH; `close()` of the browser ends it. */
export async function launchChromium(env: NodeJS.ProcessEnv = process.env): Promise<Launched> {
  const executablePath = env['CHROMIUM_PATH'] || findOnPath(env);
  if (!executablePath) return { ok: false, reason: `expected ${names.join(' or ')} on the PATH, found none` };
  const args = ['--renderer-process-limit=1'];
  if (process.getuid?.() === 0) args.push('--no-sandbox'); // its sandbox refuses root
  try {
    const browser = await chromium.launch({ executablePath, args, timeout: startsWithinMs });
    return { ok: true, browser };
  } catch (error) {
    return { ok: false, reason: `${executablePath} does not start: ${firstLineOf(error)}` };
  }
}

function findOnPath(env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

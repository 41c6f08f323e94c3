/** What every command needs: a client, and two places to write to. */
import { createClient, ProblemError, type TrainyardClient } from '../client/index.ts';
import { isLoopback } from '../lib/loopback.ts';
import { bypassProxy } from '../lib/no-proxy.ts';
import type { Output } from '../lib/progress-line.ts';

export type GlobalOptions = { readonly url: string; readonly json?: boolean };

export type CommandContext = {
  readonly client: TrainyardClient;
  /** For programs: JSON and nothing else on the standard output. */
  readonly json: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
};

/** What a command takes from the process that it runs in. */
export type Surroundings = {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Output;
  readonly stderr: Output;
};

/** A key is not an option: the list of processes shows those. */
export function openContext(
  { url, json = false }: GlobalOptions,
  { env, stdout, stderr }: Surroundings,
): CommandContext {
  const key = env['TRAINYARD_KEY'] || env['API_KEY']?.split(',')[0]?.trim() || undefined;
  if (isLoopback(new URL(url).hostname)) bypassProxy(url); // to another host, the user's proxy is the way
  return { client: createClient({ baseUrl: url, key }), json, stdout, stderr };
}

export function writeLine(output: Output, text: string): void {
  output.write(`${text}\n`);
}

export function writeJson({ stdout }: CommandContext, value: unknown): void {
  writeLine(stdout, JSON.stringify(value));
}

/** What went wrong, in words; what to do about it, where only the command line knows. */
export function explain(error: unknown): string {
  if (!(error instanceof ProblemError)) return error instanceof Error ? error.message : String(error);
  const advice = adviceOn[error.code];
  return advice ? `${error.message}\n${advice}` : error.message;
}

const otherAddress = '--url or TRAINYARD_URL names another one';
const adviceOn: Record<string, string> = {
  SERVER_UNREACHABLE: `What to do: "npm start" starts a server here; ${otherAddress}.`,
  ANSWER_UNEXPECTED: `What to do: ${otherAddress}.`,
  UNAUTHORIZED: 'What to do: set TRAINYARD_KEY, or API_KEY as the server has it.',
};

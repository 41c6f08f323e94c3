/** `trainyard watch`: a job's events, as lines and a bar for people, as JSON for programs. */
import {
  answerOf,
  type ConnectionState,
  type Job,
  type NumberedEvent,
  type Promotion,
  watchJob,
} from '../client/index.ts';
import { openProgressDisplay, type ProgressDisplay, trainingLine } from '../lib/progress-line.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { percent } from './table.ts';

export const interrupted = 130; // as shells have it: 128 and the number of SIGINT

/** @returns 0 if the job succeeds, 1 if it fails or is cancelled, 130 if a person looks no longer */
export async function watch(context: CommandContext, id: string): Promise<number> {
  const job = await answerOf(context.client.GET('/jobs/{id}', { params: { path: { id } } }));
  const display = openProgressDisplay(context.stdout);
  const leaving = new AbortController();
  process.once('SIGINT', () => leaving.abort());
  writeLine(context.stderr, `job ${id}`);
  try {
    const onConnection = sayConnection(context, display);
    for await (const event of watchJob(context.client, id, { signal: leaving.signal, onConnection })) {
      if (context.json) writeJson(context, event);
      else show(display, job, event);
      if (event.type === 'done') return event.status === 'succeeded' ? 0 : 1;
    }
    return 0;
  } catch (error) {
    display.finish();
    if (!leaving.signal.aborted) throw error;
    writeLine(
      context.stderr,
      `the job goes on: "npx trainyard watch ${id}" shows it, "npx trainyard cancel ${id}" ends it`,
    );
    return interrupted;
  }
}

/** Says once that the server is away, and once that it is back. */
export function sayConnection(
  { stderr }: CommandContext,
  display: Pick<ProgressDisplay, 'finish'>,
): (connection: ConnectionState) => void {
  let away = false;
  return (connection) => {
    const isAway = connection.state === 'away';
    if (isAway === away) return;
    away = isAway;
    display.finish();
    if (connection.state === 'connected') return writeLine(stderr, 'the server is back');
    const why = connection.problem?.detail ?? 'the connection has ended';
    writeLine(stderr, `the server is away, trying again: ${why}`);
  };
}

function show(display: ProgressDisplay, job: Job, event: NumberedEvent): void {
  if (event.type === 'progress') return display.show(event);
  const line = describe(job, event);
  if (line !== null) display.say(line);
}

function describe(job: Job, event: Exclude<NumberedEvent, { type: 'progress' }>): string | null {
  switch (event.type) {
    case 'queued':
      return `queued, number ${event.position} in line`;
    case 'started': {
      const resumed = event.resumedFromStep === null ? '' : `, on from step ${event.resumedFromStep}`;
      return `${trainingLine(job, event.engine.device)}${resumed}`;
    }
    case 'epoch':
      return `epoch ${event.epoch}: ${percent(event.testAccuracy)} of the test images right, loss ${event.testLoss.toFixed(4)}, ${event.seconds.toFixed(1)} s`;
    case 'checkpoint':
      return null; // what was decided about it comes next
    case 'promoted':
      return `model ${event.version} is published and answers from now on${comparedWith(event)}`;
    case 'kept':
      return `model ${event.version} is published${whyKept(event)}; model ${event.champion} goes on answering${comparedWith(event)}`;
    case 'trouble':
      return event.error ? `waits: ${event.error.message}` : 'goes on';
    case 'done':
      return `${event.status}${event.error ? `: ${event.error.code}, ${event.error.message}` : ''}`;
    default:
      return null; // of a newer server
  }
}

/** Where the numbers alone don't say it: ` (the job asked for no promotion)`. */
function whyKept({ decision, reason }: Pick<Promotion, 'decision' | 'reason'>): string {
  const isUnclear = decision === 'held' || reason.startsWith('its job goes on');
  return isUnclear ? ` (${reason.split(':', 1)[0]})` : ''; // the numbers come behind the colon
}

/** `: 85.36 % against 99.24 %`; empty where nothing was compared. */
function comparedWith({
  accuracy,
  accuracyAgainst,
}: Pick<Promotion, 'accuracy' | 'accuracyAgainst'>): string {
  if (accuracy === null || accuracyAgainst === null) return '';
  return `: ${percent(accuracy)} against ${percent(accuracyAgainst)}`;
}

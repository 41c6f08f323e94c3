/** `trainyard predict`: what a model reads in each picture. */
import {
  type LinePrediction,
  type Prediction,
  type Problem,
  ProblemError,
  predict,
  predictLine,
} from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { loadPicture, PictureNotReadable } from './picture.ts';
import { type Column, percent, table } from './table.ts';

type Reading = { readonly file: string } & (
  | Prediction
  | LinePrediction
  | { readonly error: Pick<Problem, 'code' | 'detail'> }
);

type PredictOptions = {
  readonly model?: string;
  readonly alias?: string;
  readonly pin?: number;
  readonly line?: boolean;
};
type Selector = { readonly model?: string; readonly alias?: string; readonly version?: number };

/** One after the other; those that can't be read are said at the end, and make the exit code 1. */
export async function predictFiles(
  context: CommandContext,
  files: readonly string[],
  { model, alias, pin: version, line = false }: PredictOptions = {},
): Promise<number> {
  const selector = {
    ...(model !== undefined && { model }),
    ...(alias !== undefined && { alias }),
    ...(version !== undefined && { version }),
  };
  const readings: Reading[] = [];
  for (const file of files) readings.push(await read(context, file, selector, line));
  const good = readings.filter((reading) => 'model' in reading);
  if (context.json) writeJson(context, readings);
  else if (good.length > 0) writeLine(context.stdout, table(columns, good).split('\n').slice(1).join('\n'));
  for (const reading of readings) {
    if ('error' in reading) writeLine(context.stderr, `${reading.file}: ${reading.error.detail}`);
  }
  return good.length === files.length ? 0 : 1;
}

const columns: Column<{ readonly file: string } & (Prediction | LinePrediction)>[] = [
  { head: '', cell: ({ file }) => file },
  { head: '', cell: (found) => ('text' in found ? found.text : found.label) },
  { head: '', right: true, cell: (found) => percent(confidenceOf(found)) },
  { head: '', cell: ({ verdict, warnings }) => [verdict, ...warnings.map(({ code }) => code)].join(' ') },
];

/** Returns the confidence; a line has that of its least certain character. */
function confidenceOf(found: Prediction | LinePrediction): number {
  if ('confidence' in found) return found.confidence;
  return Math.min(...found.characters.map(({ confidence }) => confidence));
}

/** @throws ProblemError where it is not about this picture: there is no server, no model, no key */
async function read(
  { client }: CommandContext,
  file: string,
  selector: Selector,
  asLine: boolean,
): Promise<Reading> {
  try {
    const picture = await loadPicture(file);
    return { file, ...(await (asLine ? predictLine : predict)(client, picture, selector)) };
  } catch (error) {
    if (error instanceof PictureNotReadable)
      return { file, error: { code: 'FILE_NOT_READABLE', detail: error.message } };
    if (!(error instanceof ProblemError)) throw error;
    const { status, code, detail } = error.problem;
    if (![413, 415, 422].includes(status)) throw error;
    return { file, error: { code, detail } };
  }
}

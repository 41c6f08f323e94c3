/** Tables that name the label of each picture: `metadata.csv` and `metadata.jsonl` with `file_name`, `label` and `split`. */
import { parse } from 'csv-parse/sync';
import { messageOf } from '../../../lib/errors.ts';
import { labelOf, type SplitName, splitOf } from './labels.ts';
import { type EntryFault, fault, shown } from './problem.ts';

export function isMetadataName(name: string): boolean {
  return /^metadata\.(?:csv|jsonl)$/iu.test(name);
}

/** `line`: in the file, from 1. */
export type MetadataRow = {
  readonly line: number;
  readonly fileName: string;
  readonly label: string;
  readonly split: SplitName | null; // null: the table doesn't say
};

export type MetadataProblem = { readonly line: number; readonly fault: EntryFault };

export type Metadata = { readonly rows: MetadataRow[]; readonly problems: MetadataProblem[] };

type Fields = Readonly<Record<string, unknown>>;

/** Reads a table of up to `mostLines` lines; a line that can't be used is a problem of its own. */
export function readMetadata(name: string, bytes: Buffer, mostLines: number): Metadata {
  const metadata: Metadata = { rows: [], problems: [] };
  try {
    const text = decode(bytes);
    const records = name.toLowerCase().endsWith('.csv') ? csvRecords(text, mostLines) : jsonRecords(text);
    let count = 0;
    for (const { line, read } of records) {
      if (++count > mostLines) throw invalidTable(`at most ${mostLines} lines`, 'more');
      addRow(metadata, line, read);
    }
  } catch (error) {
    const wrong = error instanceof InvalidTable ? error.fault : invalid('a table', messageOf(error));
    return { rows: [], problems: [{ line: 1, fault: wrong }] };
  }
  return metadata;
}

/** No line of the table can be used. */
class InvalidTable extends Error {
  readonly fault: EntryFault;

  constructor(wrong: EntryFault) {
    super(wrong.expected);
    this.fault = wrong;
  }
}

const invalidTable = (expected: string, got: string) => new InvalidTable(invalid(expected, got));

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidTable('text in UTF-8', 'another encoding; save the table as UTF-8');
  }
}

type Line = { readonly line: number; readonly read: () => unknown };

const delimiters = [',', ';', '\t'];
const needed = ['file_name', 'label'];

function csvRecords(text: string, mostLines: number): Line[] {
  type Parsed = { readonly record: Fields; readonly info: { readonly lines: number } };
  const parsed = parse(text, {
    columns: (header: string[]) => columnsOf(header),
    delimiter: delimiterOf(text),
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    to: mostLines + 1,
  }) as unknown as Parsed[];
  return parsed.map(({ record, info }) => ({ line: info.lines, read: () => record }));
}

/** The sign that stands most often in the first line: spreadsheets of some countries write semicolons. */
function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/u));
  const countOf = (delimiter: string) => header.split(delimiter).length;
  return delimiters.toSorted((a, b) => countOf(b) - countOf(a))[0]!;
}

function columnsOf(header: readonly string[]): string[] {
  const columns = header.map((column) => column.trim().toLowerCase());
  if (needed.every((column) => columns.includes(column))) return columns;
  throw invalidTable(
    'the columns file_name and label (and split) in the first line',
    shown(columns.join(', ')),
  );
}

function* jsonRecords(text: string): Generator<Line, void> {
  for (let start = 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const content = text.slice(start, end).trim();
    start = end + 1;
    if (content !== '') yield { line, read: () => JSON.parse(content) as unknown };
  }
}

function addRow({ rows, problems }: Metadata, line: number, read: () => unknown): void {
  let record: unknown;
  try {
    record = read();
  } catch (error) {
    problems.push({ line, fault: invalid('JSON', messageOf(error)) });
    return;
  }
  const row = rowOf(line, record);
  if ('fault' in row) problems.push(row);
  else rows.push(row);
}

function rowOf(line: number, record: unknown): MetadataRow | MetadataProblem {
  if (typeof record !== 'object' || record === null)
    return { line, fault: invalid('an object', quoted(record)) };
  const { file_name: fileName, label: raw, split: word } = record as Fields;
  if (typeof fileName !== 'string' || fileName === '')
    return { line, fault: invalid('a file_name', quoted(fileName)) };
  const label = typeof raw === 'string' || typeof raw === 'number' ? labelOf(`${raw}`) : null;
  if (label === null)
    return {
      line,
      fault: fault('LABEL_INVALID', 'a label of 1 to 64 characters', quoted(raw)),
    };
  const isUnsplit = word === undefined || word === null || word === '';
  const split = isUnsplit ? null : splitOf(String(word));
  if (!isUnsplit && split === null)
    return { line, fault: invalid('a split: train, validation or test', quoted(word)) };
  return { line, fileName, label, split };
}

const quoted = (value: unknown) => shown(JSON.stringify(value) ?? 'none');

function invalid(expected: string, got: string): EntryFault {
  return fault('METADATA_INVALID', expected, got);
}

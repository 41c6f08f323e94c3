/** Tables that name the label of each picture: `metadata.csv` and `metadata.jsonl` with `file_name`, `label` and `split`. */
import { parse } from 'csv-parse/sync';
import { messageOf } from '../../../lib/errors.ts';
import { labelOf, type SplitName, splitOf } from './labels.ts';
import { type EntryFault, fault } from './problem.ts';

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

/** Reads a table; a line that can't be used is a problem of its own. */
export function readMetadata(name: string, bytes: Buffer): Metadata {
  const metadata: Metadata = { rows: [], problems: [] };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const records = name.toLowerCase().endsWith('.csv') ? csvRecords(text) : jsonRecords(text);
    for (const { line, read } of records) addRow(metadata, line, read);
  } catch (error) {
    metadata.problems.push({ line: 1, fault: invalid('a table in UTF-8', messageOf(error)) });
  }
  return metadata;
}

type Line = { readonly line: number; readonly read: () => unknown };

function csvRecords(text: string): Line[] {
  type Parsed = { readonly record: Fields; readonly info: { readonly lines: number } };
  const parsed = parse(text, {
    columns: (header: string[]) => header.map((column) => column.trim().toLowerCase()),
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
  }) as unknown as Parsed[];
  return parsed.map(({ record, info }) => ({ line: info.lines, read: () => record }));
}

function jsonRecords(text: string): Line[] {
  return text
    .split('\n')
    .map((content, index) => ({ line: index + 1, content: content.trim() }))
    .filter(({ content }) => content !== '')
    .map(({ line, content }) => ({ line, read: () => JSON.parse(content) as unknown }));
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
    return { line, fault: invalid('an object', JSON.stringify(record) ?? 'nothing') };
  const { file_name: fileName, label: raw, split: word } = record as Fields;
  if (typeof fileName !== 'string' || fileName === '')
    return { line, fault: invalid('a file_name', JSON.stringify(fileName) ?? 'none') };
  const label = typeof raw === 'string' || typeof raw === 'number' ? labelOf(`${raw}`) : null;
  if (label === null)
    return {
      line,
      fault: fault('LABEL_INVALID', 'a label of 1 to 64 characters', JSON.stringify(raw) ?? 'none'),
    };
  const isUnsplit = word === undefined || word === null || word === '';
  const split = isUnsplit ? null : splitOf(String(word));
  if (!isUnsplit && split === null)
    return { line, fault: invalid('a split: train, validation or test', JSON.stringify(word)) };
  return { line, fileName, label, split };
}

function invalid(expected: string, got: string): EntryFault {
  return fault('METADATA_INVALID', expected, got);
}

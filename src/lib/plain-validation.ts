/** What zod says of a value that is not as it should be, in plain words. Import it where messages of zod are shown. */
import { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const formats: Readonly<Record<string, string>> = { uuid: 'a UUID', base64: 'base64' };
const units: Readonly<Record<string, readonly [one: string, several: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

type Issue = z.core.$ZodRawIssue;

/** Returns undefined, for zod's own words, where it knows none. A schema's own message goes first. */
export function plainWords(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return expected(kinds[issue.expected]);
  if (issue.code === 'invalid_format') return expected(formats[issue.format]);
  if (issue.code === 'invalid_value') return expected(choiceOf(issue.values));
  if (issue.code === 'too_small') return expected(boundOf(issue, 'at least', 'more than', issue.minimum));
  if (issue.code === 'too_big') return expected(boundOf(issue, 'at most', 'less than', issue.maximum));
  return undefined;
}

function expected(what: string | undefined): string | undefined {
  return what === undefined ? undefined : `expected ${what}`;
}

function choiceOf(values: readonly unknown[]): string {
  const all = values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value)));
  return `${all.length > 1 ? 'one of ' : ''}${all.join(', ')}`;
}

type Bounded = { readonly origin: string; readonly inclusive?: boolean };

function boundOf(
  { origin, inclusive }: Bounded,
  within: string,
  beyond: string,
  bound: number | bigint,
): string {
  const unit = units[origin]?.[Number(bound) === 1 ? 0 : 1];
  return `${inclusive === false ? beyond : within} ${bound}${unit === undefined ? '' : ` ${unit}`}`;
}

z.config({ customError: plainWords });

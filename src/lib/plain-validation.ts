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
const units: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

type Issue = z.core.$ZodRawIssue;

/** Returns undefined, for zod's own words, where it knows none. A schema's own message goes first. */
export function plainWords(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return expected(kinds[issue.expected]);
    case 'invalid_format':
      return expected(formats[issue.format]);
    case 'invalid_value':
      return expected(`${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(quoted).join(', ')}`);
    case 'too_small':
      return expected(
        `${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue, issue.minimum)}`,
      );
    case 'too_big':
      return expected(
        `${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue, issue.maximum)}`,
      );
    default:
      return undefined;
  }
}

function expected(what: string | undefined): string | undefined {
  return what === undefined ? undefined : `expected ${what}`;
}

function amount({ origin }: { origin: string }, bound: number | bigint): string {
  return `${bound}${units[origin] ?? ''}`;
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

z.config({ customError: plainWords });

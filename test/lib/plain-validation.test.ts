import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import '../../src/lib/plain-validation.ts';

const said = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues[0]?.message;

describe('what is said of a value that is not as it should be', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['expected a number', z.coerce.number(), 'all'],
    ['expected a number', z.number(), '7'],
    ['expected a whole number', z.int(), 1.5],
    ['expected a text', z.string(), 7],
    ['expected true or false', z.boolean(), 'yes'],
    ['expected a list', z.array(z.int()), 7],
    ['expected an object', z.object({}), null],
    ['expected at least 1', z.int().min(1), 0],
    ['expected more than 0', z.number().positive(), 0],
    ['expected at most 100', z.int().max(100), 101],
    ['expected at least 1 character', z.string().min(1), ''],
    ['expected at least 2 characters', z.string().min(2), 'a'],
    ['expected at most 1 entry', z.array(z.int()).max(1), [1, 2]],
    ['expected at most 2 entries', z.array(z.int()).max(2), [1, 2, 3]],
    ['expected one of "queued", "running"', z.enum(['queued', 'running']), 'lost'],
    ['expected "line"', z.enum(['line']), 'word'],
    ['expected a UUID', z.uuid(), '7'],
    ["the schema's own words", z.string({ error: "the schema's own words" }), 7],
  ])('%s', (words, schema, value) => {
    expect(said(schema, value)).toBe(words);
  });
});

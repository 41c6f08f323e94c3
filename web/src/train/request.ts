/** The train form's values: their limits, validation and the request body. */
import type { FieldProblem } from '../api/outcome.ts';

/** The limits of one field in the schema of POST /jobs/train. */
export type Limits = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Value;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string; // a regular expression
  readonly empty?: string; // what an empty field means; without it, a field may not be empty
};
export type Schema = Readonly<Record<string, Limits>>;
export type Value = string | number | boolean | null;
type Values = Readonly<Record<string, Value>>;

/** The user's changes, as typed: text, or a tick. */
export type Changes = Readonly<Record<string, string | boolean>>;

export type Checked =
  | { readonly ok: true; readonly body: Values }
  | { readonly ok: false; readonly errors: readonly FieldProblem[] };

/** Takes the limits from the OpenAPI document; a field that takes values of two kinds has those of the first. */
export function schemaOf(document: unknown): Schema {
  const properties = (document as OpenApi).components.schemas['TrainRequest']?.properties ?? {};
  const plain = Object.entries(properties).map(([name, { anyOf, ...limits }]) => {
    const branch = anyOf?.find(({ type }) => type !== 'null');
    const isNullable = anyOf?.some(({ type }) => type === 'null') ?? false;
    return [name, { ...limits, ...branch, ...(isNullable && { empty: emptyOf[name] ?? 'all' }) }] as const;
  });
  return Object.fromEntries(plain);
}
const emptyOf: Readonly<Record<string, string>> = { patience: 'no limit' };
type Property = Limits & { anyOf?: Limits[] };
type OpenApi = { components: { schemas: Record<string, { properties?: Record<string, Property> }> } };

/** Validates the changes. The body has only values that differ from the recipe. */
export function checkRequest(recipe: Values, changes: Changes, schema: Schema): Checked {
  const errors: FieldProblem[] = [];
  const body: Record<string, Value> = {};
  for (const [field, typed] of Object.entries(changes)) {
    const value = parse(typed, schema[field]);
    if (value instanceof Error) errors.push({ field, message: value.message });
    else if (value !== initial(recipe, field, schema)) body[field] = value;
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, body };
}

/** The initial value: the recipe's, or the default of a field that recipes do not set. */
export function initial(recipe: Values, field: string, schema: Schema): Value | undefined {
  return field in recipe ? recipe[field] : schema[field]?.default;
}

function parse(typed: string | boolean, limits: Limits = {}): Value | Error {
  if (typeof typed === 'boolean' || limits.enum) return typed;
  const text = typed.trim();
  if (text === '' && limits.empty !== undefined) return null;
  const value = Number(text);
  return text !== '' && isWithin(value, limits) ? value : new Error(`Expected ${rangeOf(limits)}.`);
}

function isWithin(value: number, limits: Limits): boolean {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = limits;
  const { exclusiveMinimum = Number.NEGATIVE_INFINITY } = limits;
  if (limits.type === 'integer' && !Number.isInteger(value)) return false;
  return value >= minimum && value <= maximum && value > exclusiveMinimum;
}

/** "a whole number from 1 to 1000", "a number above 0, at most 1000". */
export function rangeOf({ type, minimum, maximum, exclusiveMinimum, empty }: Limits): string {
  const what = type === 'integer' ? 'a whole number' : 'a number';
  const from =
    exclusiveMinimum === undefined
      ? ` from ${minimum} to ${maximum}`
      : ` above ${exclusiveMinimum}, at most ${maximum}`;
  return `${what}${from}${empty === undefined ? '' : `, or nothing for ${empty}`}`;
}

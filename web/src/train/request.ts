/** The form of a training: which values it has, which are sent, and what is wrong with them. */
import type { FieldProblem } from '../api/outcome.ts';

/** Of one value in the schema of POST /jobs/train. */
export type Limits = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Value;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly nullable?: boolean;
};
export type Schema = Readonly<Record<string, Limits>>;
export type Value = string | number | boolean | null;
type Values = Readonly<Record<string, Value>>;

/** What a person has changed, as typed: text, or a tick. */
export type Changes = Readonly<Record<string, string | boolean>>;

export type Checked =
  | { readonly ok: true; readonly body: Values }
  | { readonly ok: false; readonly errors: readonly FieldProblem[] };

/** From the OpenAPI document; a value that may be null has its limits in one of two branches there. */
export function schemaOf(document: unknown): Schema {
  const properties = (document as OpenApi).components.schemas['TrainRequest']?.properties ?? {};
  const plain = Object.entries(properties).map(([name, { anyOf, ...limits }]) => {
    const branch = anyOf?.find(({ type }) => type !== 'null');
    return [name, branch ? { ...limits, ...branch, nullable: true } : limits] as const;
  });
  return Object.fromEntries(plain);
}
type Property = Limits & { anyOf?: Limits[] };
type OpenApi = { components: { schemas: Record<string, { properties?: Record<string, Property> }> } };

/** Only what differs from the recipe is sent, so that a job shows what was meant by it. */
export function checkRequest(
  recipe: Values & { readonly name: string },
  changes: Changes,
  schema: Schema,
): Checked {
  const errors: FieldProblem[] = [];
  const body: Record<string, Value> = { recipe: recipe.name };
  for (const [field, typed] of Object.entries(changes)) {
    const value = parse(typed, schema[field]);
    if (value instanceof Error) errors.push({ field, message: value.message });
    else if (value !== initial(recipe, field, schema)) body[field] = value;
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, body };
}

/** What the form starts with: the recipe's value, or the default of what recipes don't say. */
export function initial(recipe: Values, field: string, schema: Schema): Value | undefined {
  return field in recipe ? recipe[field] : schema[field]?.default;
}

function parse(typed: string | boolean, limits: Limits = {}): Value | Error {
  if (typeof typed === 'boolean' || limits.enum) return typed;
  const text = typed.trim();
  if (text === '' && limits.nullable) return null;
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
export function rangeOf({ type, minimum, maximum, exclusiveMinimum, nullable }: Limits): string {
  const what = type === 'integer' ? 'a whole number' : 'a number';
  const from =
    exclusiveMinimum === undefined
      ? ` from ${minimum} to ${maximum}`
      : ` above ${exclusiveMinimum}, at most ${maximum}`;
  return `${what}${from}${nullable ? ', or nothing for all' : ''}`;
}

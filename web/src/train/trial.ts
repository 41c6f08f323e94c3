/** What the form asks the server about a training before it is started. */
import type { TrainRequest } from '../../../src/client/index.ts';
import type { Changes, Checked, Schema } from './request.ts';

export type Asked = { readonly dataset: string; readonly model?: string; readonly recipe?: string };
type Recipe = Readonly<Record<string, unknown>>;

const unsuitedUnlessInRecipe = ['otherHands', 'outliers']; // recipes have 0 where the data set does not suit them

/**
 * Null where the server would refuse the request, as far as the page knows. Corrections are left out: asking about them
 * would freeze a set of them.
 */
export function trialOf(
  asked: Asked,
  recipe: Recipe,
  changes: Changes,
  checked: Checked,
  schema: Schema,
): TrainRequest | null {
  const { model } = asked;
  const pattern = schema['model']?.pattern;
  if (!checked.ok || pattern === undefined) return null;
  if (model !== undefined && !new RegExp(pattern, 'u').test(model)) return null;
  const { corrections: _, ...body } = checked.body;
  if (unsuitedUnlessInRecipe.some((field) => field in changes && recipe[field] === 0 && body[field]))
    return null;
  return { ...asked, ...body } as unknown as TrainRequest;
}

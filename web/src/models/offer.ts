/** A change of the champion: the numbers that it is offered with, and the call that makes it. */
import type { ModelComparison, RegisteredModel } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { Outcome } from '../api/outcome.ts';
import { championAlias } from './registry.ts';

type Calls = Pick<Api, 'client' | 'ask'>;

type Accuracies = Readonly<Record<number, number>>; // by version

/** From one version to another, while the revision is the one shown. */
export type Offer = {
  readonly from: number;
  readonly to: number | null; // null: there is no champion to go back to
  readonly revision: number;
  readonly accuracies: Accuracies; // on the images compared; each on its own test images where there is no comparison
  readonly comparison: Outcome<ModelComparison>;
};
export type Wish = {
  readonly kind: 'promote' | 'rollBack';
  readonly model: string;
  readonly version: number; // whose button was pressed
};

/** Reads the state first and the numbers after it: a decision in between makes the change fail with 412. */
export async function readOffer(
  { client, ask }: Calls,
  wish: Wish,
  signal: AbortSignal,
): Promise<Outcome<Offer>> {
  const params = { path: { model: wish.model } };
  const registered = await ask(client.GET('/registry/{model}', { params, signal }));
  if (!registered.ok) return registered;
  const { aliases, champions, revision } = registered.data;
  const from = aliases[championAlias]!.version;
  const to = wish.kind === 'promote' ? wish.version : (champions[1] ?? null);
  const path = { version: to ?? from, other: from };
  const init = { params: { path }, signal };
  const comparison = await ask(client.GET('/models/{version}/comparison/{other}', init));
  const accuracies = comparison.ok
    ? { [path.version]: comparison.data.accuracy, [from]: comparison.data.accuracyOther }
    : await ownAccuracies({ client, ask }, [path.version, from], signal);
  return { ok: true, data: { from, to, revision, comparison, accuracies } };
}

/** Reads the accuracies of versions that can't be compared, and leaves out what can't be read. */
async function ownAccuracies(
  { client, ask }: Calls,
  versions: readonly number[],
  signal: AbortSignal,
): Promise<Accuracies> {
  const outcomes = await Promise.all(
    versions.map((version) =>
      ask(client.GET('/models/{version}', { params: { path: { version } }, signal })),
    ),
  );
  const known = outcomes.flatMap((each) => (each.ok ? [each.data] : []));
  return Object.fromEntries(known.map(({ version, metrics }) => [version, metrics.testAccuracy]));
}

/** Changes the champion, unless somebody else has changed the model since the offer was read. */
export function makeChange(
  { client, ask }: Calls,
  { kind, model }: Wish,
  { to, revision }: Offer,
  reason: string,
): Promise<Outcome<RegisteredModel>> {
  const header = { 'if-match': `"${revision}"` };
  if (kind === 'rollBack') {
    const params = { path: { model }, header };
    return ask(client.POST('/registry/{model}/rollback', { params, body: { reason } }));
  }
  const params = { path: { model, alias: championAlias }, header };
  const body = { version: to!, reason };
  return ask(client.PUT('/registry/{model}/aliases/{alias}', { params, body }));
}

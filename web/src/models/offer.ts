/** A change of the champion: the numbers that it is offered with, and the call that makes it. */
import type { Model, ModelComparison, RegisteredModel } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { Outcome } from '../api/outcome.ts';
import { championAlias } from './registry.ts';

type Calls = Pick<Api, 'client' | 'ask'>;

/** From one version to another, while the revision is the one shown. */
export type Offer = {
  readonly from: number;
  readonly to: number | null; // null: there is no champion to go back to
  readonly revision: number;
  readonly accuracies: Readonly<Record<number, number>>; // on the test images, by version
  readonly comparison: Outcome<ModelComparison>;
};
export type Wish = {
  readonly kind: 'promote' | 'rollBack';
  readonly model: string;
  readonly version: number; // whose button was pressed
};

/** Reads the state first and the numbers after it: a decision in between makes the call fail with 412. */
export async function readOffer({ client, ask }: Calls, wish: Wish, signal: AbortSignal): Promise<Outcome<Offer>> {
  const params = { path: { model: wish.model } };
  const registered = await ask(client.GET('/registry/{model}', { params, signal }));
  if (!registered.ok) return registered;
  const { aliases, champions, revision } = registered.data;
  const from = aliases[championAlias]!.version;
  const to = wish.kind === 'promote' ? wish.version : (champions[1] ?? null);
  const path = { version: to ?? from, other: from };
  const [comparison, ...versions] = await Promise.all([
    ask(client.GET('/models/{version}/comparison/{other}', { params: { path }, signal })),
    ...[path.version, from].map((version) =>
      ask(client.GET('/models/{version}', { params: { path: { version } }, signal })),
    ),
  ]);
  return { ok: true, data: { from, to, revision, comparison, accuracies: accuraciesOf(versions) } };
}

function accuraciesOf(versions: readonly Outcome<Model>[]): Offer['accuracies'] {
  const known = versions.flatMap((each) => (each.ok ? [each.data] : []));
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

/** `trainyard registry`: which version answers, who decided so and why, and calls that change it. */
import { answerOf, type Decision, expectDone, type RegisteredModel } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { age, type Column, percent, table } from './table.ts';

const historyShown = 20;

type Changed = { readonly reason?: string };

/** All models, or one. */
export async function showRegistry(context: CommandContext, model?: string): Promise<number> {
  const data =
    model === undefined
      ? (await answerOf(context.client.GET('/registry'))).data
      : [await answerOf(context.client.GET('/registry/{model}', { params: { path: { model } } }))];
  if (context.json) writeJson(context, data);
  else if (data.length === 0) writeLine(context.stderr, 'no models; "trainyard train" makes one');
  else writeLine(context.stdout, table(aliasColumns, data.flatMap(rowsOf)));
  return 0;
}

export async function showHistory(
  context: CommandContext,
  model: string,
  { limit = historyShown }: { readonly limit?: number },
): Promise<number> {
  const params = { path: { model }, query: { limit } };
  const { data } = await answerOf(context.client.GET('/registry/{model}/history', { params }));
  if (context.json) writeJson(context, data);
  else writeLine(context.stdout, table(historyColumns, data));
  return 0;
}

export async function setAlias(
  context: CommandContext,
  model: string,
  alias: string,
  version: number,
  { reason = '' }: Changed,
): Promise<number> {
  const params = { path: { model, alias } };
  const body = { version, reason };
  return say(
    context,
    await answerOf(context.client.PUT('/registry/{model}/aliases/{alias}', { params, body })),
  );
}

export async function dropAlias(context: CommandContext, model: string, alias: string): Promise<number> {
  const params = { path: { model, alias } };
  await expectDone(context.client.DELETE('/registry/{model}/aliases/{alias}', { params }));
  if (context.json) {
    writeJson(
      context,
      await answerOf(context.client.GET('/registry/{model}', { params: { path: { model } } })),
    );
  } else writeLine(context.stdout, `${alias} of ${model} is removed`);
  return 0;
}

export async function rollBack(
  context: CommandContext,
  model: string,
  { reason = '' }: Changed,
): Promise<number> {
  const params = { path: { model } };
  const body = { reason };
  return say(context, await answerOf(context.client.POST('/registry/{model}/rollback', { params, body })));
}

/** @param body per cent by alias */
export async function setTraffic(
  context: CommandContext,
  model: string,
  body: Readonly<Record<string, number>>,
): Promise<number> {
  const params = { path: { model } };
  return say(context, await answerOf(context.client.PUT('/registry/{model}/traffic', { params, body })));
}

function say(context: CommandContext, model: RegisteredModel): number {
  if (context.json) writeJson(context, model);
  else writeLine(context.stdout, table(aliasColumns, rowsOf(model)));
  return 0;
}

type AliasRow = RegisteredModel & { readonly alias: string };

function rowsOf(model: RegisteredModel): AliasRow[] {
  return Object.keys(model.aliases).map((alias) => ({ ...model, alias }));
}

const aliasColumns: Column<AliasRow>[] = [
  { head: 'MODEL', cell: ({ name }) => name },
  { head: 'ALIAS', cell: ({ alias }) => alias },
  { head: 'VERSION', right: true, cell: ({ aliases, alias }) => String(aliases[alias]!.version) },
  { head: 'TRAFFIC', right: true, cell: trafficOf },
  { head: 'AGE', right: true, cell: ({ aliases, alias }) => age(aliases[alias]!.since) },
  { head: 'BY', cell: ({ aliases, alias }) => aliases[alias]!.by },
  { head: 'REASON', cell: ({ aliases, alias }) => aliases[alias]!.reason },
];

function trafficOf({ traffic, alias }: AliasRow): string {
  const share = traffic?.[alias] ?? (traffic === null && alias === 'champion' ? 100 : 0);
  return `${share} %`;
}

const historyColumns: Column<Decision>[] = [
  { head: '#', right: true, cell: ({ number }) => String(number) },
  { head: 'AGE', right: true, cell: ({ at }) => age(at) },
  { head: 'WHAT', cell: whatOf },
  { head: 'ACCURACY', cell: accuraciesOf },
  { head: 'BY', cell: ({ by }) => by },
  { head: 'REASON', cell: ({ reason }) => reason },
];

function whatOf({ action, alias, from, to, traffic }: Decision): string {
  if (action === 'traffic') return `traffic: ${sharesOf(traffic)}`;
  if (action === 'kept' || action === 'held') return `${to} kept back, ${from} goes on`;
  if (to === null) return `${alias} removed`;
  return `${alias} ${from === null ? '' : `${from} → `}${to} (${action})`;
}

/** `champion 90 %, challenger 10 %` */
function sharesOf(traffic: Decision['traffic']): string {
  return Object.entries(traffic ?? { champion: 100 })
    .map(([alias, share]) => `${alias} ${share} %`)
    .join(', ');
}

function accuraciesOf({ comparison }: Decision): string {
  if (!comparison) return '';
  return `${percent(comparison.accuracy)} against ${percent(comparison.accuracyAgainst)}`;
}

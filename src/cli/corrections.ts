/** `trainyard corrections`: what people have said that pictures show. */
import { answerOf, type Correction, expectDone } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { age, type Column, percent, table } from './table.ts';

export async function listCorrections(
  context: CommandContext,
  { model, limit }: { readonly model?: string; readonly limit?: number },
): Promise<number> {
  const query = { ...(model !== undefined && { model }), ...(limit !== undefined && { limit }) };
  const { data, hasMore } = await answerOf(context.client.GET('/corrections', { params: { query } }));
  if (context.json) writeJson(context, data);
  else if (data.length === 0) writeLine(context.stderr, 'no corrections; "trainyard correct" makes one');
  else writeLine(context.stdout, table(columns, data));
  if (hasMore && !context.json) writeLine(context.stderr, 'there are more: --limit');
  return 0;
}

/** One after the other, until one is not there. */
export async function removeCorrections(context: CommandContext, ids: readonly string[]): Promise<number> {
  for (const id of ids) {
    await expectDone(context.client.DELETE('/corrections/{id}', { params: { path: { id } } }));
    if (!context.json) writeLine(context.stdout, `correction ${id} is removed`);
  }
  if (context.json) writeJson(context, { removed: ids });
  return 0;
}

const columns: Column<Correction>[] = [
  { head: 'ID', cell: ({ id }) => id },
  { head: 'MODEL', cell: ({ model }) => model },
  { head: 'SHOWS', cell: ({ label }) => label ?? 'none' },
  { head: 'READ AS', cell: ({ answer }) => answer.label },
  { head: 'SURE', right: true, cell: ({ answer }) => percent(answer.confidence) },
  { head: 'VERSION', right: true, cell: ({ answer }) => String(answer.version) },
  { head: 'AGE', right: true, cell: ({ createdAt }) => age(createdAt) },
];

/** `trainyard models`. */
import { answerOf, type Model } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { age, type Column, percent, table } from './table.ts';

export async function listModels(
  context: CommandContext,
  { limit }: { readonly limit?: number },
): Promise<number> {
  const query = limit === undefined ? {} : { limit };
  const { data, hasMore } = await answerOf(context.client.GET('/models', { params: { query } }));
  if (context.json) writeJson(context, data);
  else if (data.length === 0) writeLine(context.stderr, 'no models; "trainyard train" makes one');
  else writeLine(context.stdout, table(columns, data));
  if (hasMore && !context.json) writeLine(context.stderr, 'there are more: --limit');
  return 0;
}

const columns: Column<Model>[] = [
  { head: 'VERSION', right: true, cell: ({ version }) => String(version) },
  { head: 'MODEL', cell: ({ model }) => model },
  { head: 'ALIASES', cell: ({ aliases }) => aliases.join(', ') },
  { head: 'ACCURACY', right: true, cell: ({ metrics }) => percent(metrics.testAccuracy) },
  { head: 'RECIPE', cell: ({ recipe }) => recipe },
  { head: 'EPOCH', right: true, cell: ({ epoch, epochs }) => `${epoch}/${epochs}` },
  { head: 'SEED', right: true, cell: ({ seed }) => String(seed) },
  { head: 'AGE', right: true, cell: ({ createdAt }) => age(createdAt) },
  { head: 'JOB', cell: ({ jobId }) => jobId },
];

/** `trainyard jobs` and `trainyard cancel`. */
import { answerOf, type Job } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { age, type Column, percent, table } from './table.ts';

type ListOptions = { readonly status?: string; readonly limit?: number };

export async function listJobs(context: CommandContext, options: ListOptions): Promise<number> {
  const query = {
    ...(options.limit !== undefined && { limit: options.limit }),
    ...(options.status !== undefined && { status: options.status }),
  };
  const { data, hasMore } = await answerOf(
    context.client.GET('/jobs', { params: { query: query as never } }),
  );
  if (context.json) writeJson(context, data);
  else if (data.length === 0) writeLine(context.stderr, 'no jobs');
  else writeLine(context.stdout, table(columns, data));
  if (hasMore && !context.json) writeLine(context.stderr, 'there are more: --limit');
  return 0;
}

const columns: Column<Job>[] = [
  { head: 'JOB', cell: ({ id }) => id },
  { head: 'STATUS', cell: ({ status }) => status },
  { head: 'RECIPE', cell: ({ request }) => request.recipe },
  {
    head: 'DONE',
    right: true,
    cell: ({ progress }) => (progress ? `${Math.floor(100 * progress.fraction)} %` : ''),
  },
  {
    head: 'ACCURACY',
    right: true,
    cell: ({ epochs }) => (epochs.length > 0 ? percent(epochs.at(-1)!.testAccuracy) : ''),
  },
  { head: 'MODEL', right: true, cell: ({ modelVersion }) => String(modelVersion ?? '') },
  { head: 'AGE', right: true, cell: ({ createdAt }) => age(createdAt) },
  { head: 'ERROR', cell: ({ error }) => error?.code ?? '' },
];

export async function cancelJob(context: CommandContext, id: string): Promise<number> {
  const job = await answerOf(context.client.POST('/jobs/{id}/cancel', { params: { path: { id } } }));
  if (context.json) writeJson(context, job);
  else writeLine(context.stdout, `job ${id}: ${cancelled(job)}`);
  return 0;
}

function cancelled({ status, finishedAt }: Job): string {
  if (status === 'cancelled') return 'cancelled';
  return finishedAt === null ? 'ends within 2 s' : `had ended before, ${status}`;
}

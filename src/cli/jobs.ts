/** `trainyard jobs` and `trainyard cancel`. */
import { answerOf, type Job } from '../client/index.ts';
import { type Session, writeJson, writeLine } from './session.ts';
import { age, type Column, percent, table } from './table.ts';

type ListOptions = { readonly status?: string; readonly limit?: number };

export async function listJobs(session: Session, options: ListOptions): Promise<number> {
  const query = {
    ...(options.limit && { limit: options.limit }),
    ...(options.status && { status: options.status }),
  };
  const { data, hasMore } = await answerOf(
    session.client.GET('/jobs', { params: { query: query as never } }),
  );
  if (session.json) writeJson(session, data);
  else if (data.length === 0) writeLine(session.stderr, 'no jobs');
  else writeLine(session.stdout, table(columns, data));
  if (hasMore && !session.json) writeLine(session.stderr, 'there are more: --limit');
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

export async function cancelJob(session: Session, id: string): Promise<number> {
  const job = await answerOf(session.client.POST('/jobs/{id}/cancel', { params: { path: { id } } }));
  if (session.json) writeJson(session, job);
  else writeLine(session.stdout, `job ${id}: ${cancelled(job)}`);
  return 0;
}

function cancelled({ status, finishedAt }: Job): string {
  if (status === 'cancelled') return 'cancelled';
  return finishedAt === null ? 'ends within 2 s' : `had ended before, ${status}`;
}

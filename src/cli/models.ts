/** `trainyard models`. */
import { answerOf, type Model } from '../client/index.ts';
import { type Session, writeJson, writeLine } from './session.ts';
import { age, type Column, percent, table } from './table.ts';

export async function listModels(session: Session, { limit }: { readonly limit?: number }): Promise<number> {
  const query = limit === undefined ? {} : { limit };
  const { data, hasMore } = await answerOf(session.client.GET('/models', { params: { query } }));
  if (session.json) writeJson(session, data);
  else if (data.length === 0) writeLine(session.stderr, 'no models; "trainyard train" makes one');
  else writeLine(session.stdout, table(columns, data));
  if (hasMore && !session.json) writeLine(session.stderr, 'there are more: --limit');
  return 0;
}

const columns: Column<Model>[] = [
  { head: 'MODEL', right: true, cell: ({ version }) => String(version) },
  { head: '', cell: ({ served }) => (served ? 'serves' : '') },
  { head: 'ACCURACY', right: true, cell: ({ metrics }) => percent(metrics.testAccuracy) },
  { head: 'RECIPE', cell: ({ recipe }) => recipe },
  { head: 'EPOCH', right: true, cell: ({ epoch, epochs }) => `${epoch}/${epochs}` },
  { head: 'SEED', right: true, cell: ({ seed }) => String(seed) },
  { head: 'AGE', right: true, cell: ({ createdAt }) => age(createdAt) },
  { head: 'JOB', cell: ({ jobId }) => jobId },
];

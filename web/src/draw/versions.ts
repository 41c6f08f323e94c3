/** The versions that a second reader can be, by model. */
import type { Model } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { Outcome } from '../api/outcome.ts';

const mostListed = 100; // the largest `limit` of GET /models

/**
 * Reads the newest versions, newest first, a group for each model. That of `first` comes first, and as if it were the only
 * one: however many versions others have.
 */
export async function readVersions(
  { client, ask }: Pick<Api, 'client' | 'ask'>,
  first: string | undefined,
  ended: AbortSignal,
): Promise<Outcome<readonly (readonly Model[])[]>> {
  const list = (model?: string) => {
    const query = { limit: mostListed, ...(model !== undefined && { model }) };
    return ask(client.GET('/models', { params: { query }, signal: ended }));
  };
  const newest = await list();
  if (!newest.ok) return newest;
  const groups = new Map<string, readonly Model[]>();
  for (const model of newest.data.data) groups.set(model.model, [...(groups.get(model.model) ?? []), model]);
  if (first === undefined || groups.size < 2) return { ok: true, data: [...groups.values()] };
  const own = await list(first);
  if (!own.ok) return own;
  groups.delete(first);
  return { ok: true, data: [own.data.data, ...groups.values()].filter(({ length }) => length > 0) };
}

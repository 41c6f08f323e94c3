import { expect, it } from 'vitest';
import { answerOf, createClient } from '../../src/client/index.ts';
import type { Api } from '../../web/src/api/api.ts';
import { outcomeOf } from '../../web/src/api/outcome.ts';
import { type App, createApp } from '../../web/src/app-context.ts';
import { createModelList } from '../../web/src/models/models.ts';

it('the champion comes first where the list lacks it, and in its place where the list has it', async () => {
  const server = { newest: 30, champion: 3 };
  const { list, shown } = listOf(server);
  await list.refresh(never);
  expect(shown()).toEqual([3, ...downFrom(30)]);
  await list.readOlder();
  expect(shown()).toEqual([...downFrom(30), ...downFrom(10, 10)]);
  server.champion = 30;
  await list.refresh(never);
  expect(shown()).toEqual(Array.from({ length: 30 }, (_, index) => 30 - index));
});

it('nothing is listed before the champion is known, so that no row moves the others', async () => {
  const { list, shown, asked } = listOf({ newest: 30, champion: 3 });
  await list.refresh(never);
  expect(asked.map(({ path }) => path)).toEqual(['/models', '/registry', '/models/3']);
  expect(asked.map((each) => each.shown)).toEqual([[], [], []]);
  expect(shown()[0]).toBe(3);
});

it('a champion that can’t be read is no row; the others are listed all the same', async () => {
  const { list, shown } = listOf({ newest: 30, champion: 3, lost: 3 });
  await list.refresh(never);
  expect(list.champion.value).toBe(3);
  expect(shown()).toEqual(downFrom(30));
});

it('the versions of one model are listed alone, behind the champion of that model', async () => {
  const { list, shown, asked } = listOf({ newest: 30, champion: 3 });
  await list.refresh(never);
  list.only.value = 'letters';
  expect(shown()).toEqual([]);
  await list.refresh(never);
  expect(asked.map(({ path, model }) => [path, model]).filter(([, model]) => model !== null)).toEqual([
    ['/models', 'letters'],
  ]);
  expect(asked.at(-1)).toEqual({ path: '/models/7', shown: [], model: null });
  expect(list.champion.value).toBe(7);
  expect(shown()[0]).toBe(7);
  list.only.value = null;
  expect(shown()[0]).toBe(3);
});

type Server = { newest: number; champion: number; lost?: number };

/** The list over a server that has the versions from `newest` down to 1. */
function listOf(server: Server) {
  const asked: { path: string; shown: number[]; model: string | null }[] = [];
  const client = createClient({
    baseUrl: 'http://server',
    fetch: async ({ url }) => {
      const { pathname, searchParams } = new URL(url);
      asked.push({ path: pathname, shown: shown(), model: searchParams.get('model') });
      if (pathname === '/registry') {
        const { champion } = server;
        return Response.json({
          data: [
            { name: 'letters', aliases: { champion: { version: 7 } } },
            { name: 'mnist', aliases: { champion: { version: champion } } },
          ],
        });
      }
      if (pathname !== '/models') return answerFor(Number(pathname.split('/')[2]), server);
      const after = Number(searchParams.get('after') ?? server.newest + 1);
      const data = downFrom(after - 1, Math.min(after - 1, Number(searchParams.get('limit'))));
      return Response.json({ data: data.map((version) => ({ version })), hasMore: data.at(-1) !== 1 });
    },
  });
  const api = { client, ask: (call) => outcomeOf(answerOf(call)) } as Pick<Api, 'client' | 'ask'> as Api;
  const list = createApp({ api } as Omit<App, 'store'>).store(createModelList);
  const shown = () => list.models.value.map(({ version }) => version);
  return { list, asked, shown };
}

function answerFor(version: number, { lost }: Server): Response {
  if (version !== lost) return Response.json({ version });
  const problem = {
    type: 'about:blank',
    title: '',
    status: 404,
    code: 'MODEL_NOT_FOUND',
    detail: '',
    instance: '',
  };
  return Response.json(problem, { status: 404, headers: { 'content-type': 'application/problem+json' } });
}

const never = new AbortController().signal;
const downFrom = (first: number, count = 20) => Array.from({ length: count }, (_, index) => first - index);

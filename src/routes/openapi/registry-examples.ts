import { type Exchange, invalid, json, problem } from './exchange.ts';

const [since, by] = ['2026-11-25T13:24:53.402Z', 'key 1 of 2, 192.0.2.7'];
const first = { version: 1, since: '2026-11-25T12:02:11.020Z', by, reason: 'the one we know' };

const registered = {
  name: 'mnist',
  dataset: 'mnist',
  labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  form: 'ink',
  aliases: {
    champion: {
      version: 2,
      since,
      by: 'job 01a212e1-4136-71c6-b490-cb5100ed1b61',
      reason: 'no worse than model 1',
    },
    challenger: first,
  },
  traffic: null,
  champions: [2, 1],
  versions: 2,
  newest: 2,
  revision: 3,
};

const moved = {
  number: 3,
  model: 'mnist',
  at: since,
  action: 'moved',
  alias: 'challenger',
  from: null,
  to: 1,
  by,
  reason: 'the one we know',
  comparison: null,
  traffic: null,
};
const kept = {
  ...moved,
  number: 2,
  action: 'kept',
  alias: 'champion',
  from: 1,
  to: 2,
  reason: 'significantly worse than model 1: 85.36 % against 99.24 %',
  comparison: {
    against: 1,
    images: 10_000,
    accuracy: 0.8536,
    accuracyAgainst: 0.9924,
    onlyCandidate: 21,
    onlyChampion: 1409,
    p: 0,
  },
};

const model = { model: 'mnist' };
const challenger = { ...model, alias: 'challenger' };

function unknown(path: string, parameters: Record<string, string> = {}, body?: Exchange['body']): Exchange {
  const detail = 'expected a model in GET /registry, got "nope"; a model appears with its first version';
  const [status, code, title] = [404, 'MODEL_UNKNOWN', 'Not Found'];
  const answer = problem({ title, status, code, detail, instance: `/registry/nope${path}` });
  const exchange = {
    summary: 'An unknown model',
    parameters: { ...parameters, model: 'nope' },
    status,
    answer,
  };
  return body ? { ...exchange, body } : exchange;
}

export const registryExamples: Record<string, readonly Exchange[]> = {
  listRegistry: [{ summary: 'One model', status: 200, answer: { data: [registered] } }],
  getRegistered: [{ summary: 'The digits', parameters: model, status: 200, answer: registered }, unknown('')],
  moveAlias: [
    {
      summary: 'A challenger',
      parameters: challenger,
      body: json({ version: 1, reason: 'the one we know' }),
      status: 200,
      answer: registered,
    },
    {
      summary: 'A version that never was',
      parameters: challenger,
      body: json({ version: 999_999 }),
      status: 404,
      answer: problem({
        title: 'Not Found',
        status: 404,
        code: 'MODEL_NOT_FOUND',
        detail: 'expected a version in GET /models, got 999999',
        instance: '/registry/mnist/aliases/challenger',
      }),
    },
    unknown('/aliases/challenger', { alias: 'challenger' }, json({ version: 1 })),
  ],
  getAlias: [
    {
      summary: 'The challenger',
      parameters: challenger,
      status: 200,
      answer: { alias: 'challenger', ...first },
    },
    unknown('/aliases/challenger', { alias: 'challenger' }),
  ],
  shareTraffic: [
    {
      summary: 'A tenth to the challenger',
      parameters: model,
      body: json({ champion: 90, challenger: 10 }),
      status: 200,
      answer: { ...registered, traffic: { champion: 90, challenger: 10 }, revision: 4 },
    },
    {
      summary: 'All to the champion again',
      parameters: model,
      body: json({ champion: 100 }),
      status: 200,
      answer: { ...registered, revision: 5 },
    },
    unknown('/traffic', {}, json({ champion: 100 })),
  ],
  rollBack: [
    {
      summary: 'To the champion before',
      parameters: model,
      body: json({ reason: 'it reads sevens as ones' }),
      status: 200,
      answer: { ...registered, aliases: { champion: first }, champions: [1], revision: 6 },
    },
    unknown('/rollback', {}, json({})),
  ],
  removeAlias: [
    { summary: 'The challenger', parameters: challenger, status: 204, answer: null },
    {
      summary: 'The champion',
      parameters: { ...model, alias: 'champion' },
      status: 409,
      answer: problem({
        title: 'Conflict',
        status: 409,
        code: 'CHAMPION_NEEDED',
        detail:
          'expected another alias than champion, which mnist always has; PUT another version in its place, or roll back',
        instance: '/registry/mnist/aliases/champion',
      }),
    },
  ],
  getHistory: [
    {
      summary: 'The newest two',
      parameters: { ...model, limit: '2' },
      status: 200,
      answer: { data: [moved, kept] },
    },
    {
      summary: 'More than are kept',
      parameters: { ...model, limit: '5000' },
      status: 400,
      answer: invalid('/registry/mnist/history', 'querystring', 'limit', 'expected at most 1000, got "5000"'),
    },
  ],
};

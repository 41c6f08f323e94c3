import { type Exchange, firstTestImage, invalid, json, problem } from './exchange.ts';

export const examplePredictionId = '5f0c9d6e-3c1b-4b1e-9a53-8d1d2f7a6c40';
const unknownPredictionId = '00000000-0000-4000-8000-000000000000';
const input = firstTestImage;

const correction = {
  id: 'b82f08efe020f9f96d1a2d8d9ae1a3ff',
  model: 'mnist',
  label: '7',
  answer: { version: 2, label: '1', confidence: 0.6613, verdict: 'unsure' },
  createdAt: '2026-11-25T13:31:07.218Z',
  input,
};
const byId = { id: correction.id };
const unknownId = '0'.repeat(32);
const kept = {
  predictionId: examplePredictionId,
  model: { name: 'mnist', version: 2 },
  label: '1',
  confidence: 0.6613,
  verdict: 'unsure',
  score: 0.9981,
  at: '2026-11-25T13:30:41.006Z',
  input,
};

const unknownCorrection: Exchange = {
  summary: 'One that is not there',
  parameters: { id: unknownId },
  status: 404,
  answer: problem({
    title: 'Not Found',
    status: 404,
    code: 'CORRECTION_NOT_FOUND',
    detail: `expected the id of a correction in GET /corrections, got "${unknownId}"`,
    instance: `/corrections/${unknownId}`,
  }),
};

export const correctionExamples: Record<string, readonly Exchange[]> = {
  addCorrection: [
    {
      summary: 'A picture of a seven',
      body: json({ image: input, label: '7' }),
      status: 201,
      answer: correction,
    },
    { summary: 'Once more', body: json({ image: input, label: '7' }), status: 200, answer: correction },
    {
      summary: 'An answer that was kept: it is none of the labels',
      body: json({ predictionId: examplePredictionId, label: null }),
      status: 409, // the same picture
      answer: problem({
        title: 'Conflict',
        status: 409,
        code: 'CORRECTION_CONFLICT',
        detail: `expected label "7", which correction ${correction.id} gives to the same picture, got another; remove that one first if it is wrong`,
        instance: '/corrections',
      }),
    },
    {
      summary: 'No such label',
      body: json({ image: input, label: 'seven' }),
      status: 400,
      answer: invalid(
        '/corrections',
        'body',
        'label',
        'expected a label of the model, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", or null for none of them, got "seven"',
      ),
    },
  ],
  listCorrections: [
    {
      summary: 'The newest',
      parameters: { limit: '1' },
      status: 200,
      answer: { data: [correction], hasMore: false, count: 1 },
    },
    {
      summary: 'After one that is not there',
      parameters: { after: unknownId },
      status: 400,
      answer: problem({
        title: 'Bad Request',
        status: 400,
        code: 'VALIDATION_FAILED',
        detail: `expected after to be an id in this list, got "${unknownId}", which may have been removed; begin again without it`,
        instance: '/corrections',
      }),
    },
  ],
  getCorrection: [{ summary: 'One', parameters: byId, status: 200, answer: correction }, unknownCorrection],
  removeCorrection: [{ summary: 'One', parameters: byId, status: 204, answer: null }, unknownCorrection],
  listReview: [
    {
      summary: 'The least sure one',
      parameters: { limit: '1' },
      status: 200,
      answer: { keepInputs: true, data: [kept], hasMore: false, count: 1 },
    },
    {
      summary: 'No number',
      parameters: { limit: 'all' },
      status: 400,
      answer: invalid('/review', 'querystring', 'limit', 'expected a number, got "all"'),
    },
  ],
  removeFromReview: [
    {
      summary: 'One that is right',
      parameters: { predictionId: examplePredictionId },
      status: 204,
      answer: null,
    },
    {
      summary: 'One that is not kept',
      parameters: { predictionId: unknownPredictionId },
      status: 404,
      answer: problem({
        title: 'Not Found',
        status: 404,
        code: 'PREDICTION_NOT_KEPT',
        detail: `expected the predictionId of an answer that is kept, got ${unknownPredictionId}: the newest 1000 of this server and the 1000 least sure ones are kept; send the picture itself as image`,
        instance: `/review/${unknownPredictionId}`,
      }),
    },
  ],
};

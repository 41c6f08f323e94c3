import type { ImportEvent } from '../../jobs/import-events.ts';
import { summaryOf } from '../../model/data/imported/manifest.ts';
import { nothing } from '../dataset-view.ts';
import { type Exchange, eventStream, invalid, picture, problem } from './exchange.ts';

const type = 'image/png';
const mnist = { name: 'mnist' };

/** Two labels with two pictures each, in 28×28. */
const fewPictures = [
  'UEsDBBQAAAgIAAAAAADDVjqyXgAAAF8AAAAJAAAAYmFyLzEucG5n6wzwc+flkuJiYGDg9fRwCWJgYJABYQ4GBgaG8LQGDwYGBjVP',
  'F8eQirjkH/3sBhccJzU2Mh6VCjm34sn//4sVv8x3UFigHiy1NJoh/creeAY/1SiQTk9XP5d1TglNAFBLAwQUAAAICAAAAAAAth8M',
  '4VwAAABdAAAACQAAAGJhci8yLnBuZ+sM8HPn5ZLiYmBg4PX0cAliYGCQAWEOBgYGhvC0Bg8GBgYVTxfHkIq45B/97AY8O1SYmbuk',
  'A2RNtH7+//9/ohBHhmehwiQ1hulPrrser5WJA+nzdPVzWeeU0AQAUEsDBBQAAAgIAAAAAAAiQbMnXQAAAF4AAAAKAAAAbGluZS8x',
  'LnBuZ+sM8HPn5ZLiYmBg4PX0cAliYGCQAWEOBgYGhvC0Bg8GBgZVTxfHkIq45B/97AY9Xv/++ycqGCQwLkhglfZW9oy56LYw3G3X',
  'Rob0K3vjbzxmlwdp9HT1c1nnlNAEAFBLAwQUAAAICAAAAAAAGPc7mV0AAABeAAAACgAAAGxpbmUvMi5wbmfrDPBz5+WS4mJgYOD1',
  '9HAJYmBgkAFhDgYGBobwtAYPBgYGVU8Xx5CKuOQf/ewGPV7//vtfdkg4wPBAof2G5z6VvorFK8Pb9s9l6JS97hr/PfsKSKOnq5/L',
  'OqeEJgBQSwECFAMUAAAICAAAAAAAw1Y6sl4AAABfAAAACQAAAAAAAAAAAAAApIEAAAAAYmFyLzEucG5nUEsBAhQDFAAACAgAAAAA',
  'ALYfDOFcAAAAXQAAAAkAAAAAAAAAAAAAAKSBhQAAAGJhci8yLnBuZ1BLAQIUAxQAAAgIAAAAAAAiQbMnXQAAAF4AAAAKAAAAAAAA',
  'AAAAAACkgQgBAABsaW5lLzEucG5nUEsBAhQDFAAACAgAAAAAABj3O5ldAAAAXgAAAAoAAAAAAAAAAAAAAKSBjQEAAGxpbmUvMi5w',
  'bmdQSwUGAAAAAAQABADeAAAAEgIAAAAA',
].join('');

const progress = { pictures: 2, count: 4, problems: 0, fraction: 0.5 };
const report = {
  accepted: 4,
  duplicates: 0,
  duplicateFiles: [],
  inTrainAndTest: 0,
  ignored: 0,
  problems: [],
  problemCount: 0,
  form: { asked: 'auto' as const, chosen: 'ink' as const, looked: 4, drawn: 4 },
  notes: ['the archive has one part; of each label a share is drawn for the test'],
};
const sha256 = '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7';
const importing = {
  ...nothing,
  name: 'strokes',
  status: 'importing',
  builtIn: false,
  seed: 1,
  bytes: 1024,
  source: { fileName: null, bytes: 1024, sha256: null },
  createdAt: '2026-11-28T09:30:00.000Z',
};
const ready = {
  ...importing,
  status: 'ready',
  form: 'ink',
  labels: ['bar', 'line'],
  counts: { train: { count: 2, byLabel: [1, 1] }, test: { count: 2, byLabel: [1, 1] } },
  testShare: 0.2,
  sha256,
  testSet: sha256,
  source: { fileName: 'strokes.zip', bytes: 1024, sha256 },
  report,
};
const builtIn = {
  ...nothing,
  name: 'mnist',
  status: 'ready',
  builtIn: true,
  form: 'ink',
  labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  counts: { train: { count: 60_000, byLabel: null }, test: { count: 10_000, byLabel: null } },
  testSet: sha256,
};

/** There is no data set `letters`. */
function unknownAt(instance: string) {
  return problem({
    title: 'Not Found',
    status: 404,
    code: 'DATASET_NOT_FOUND',
    detail:
      'expected the name of a data set in GET /datasets, got "letters"; import it with POST /datasets?name=letters',
    instance,
  });
}

const events: readonly ImportEvent[] = [
  { type: 'queued', at: '2026-11-28T09:30:00.000Z' },
  { type: 'started', at: '2026-11-28T09:30:00.050Z', attempt: 1 },
  { type: 'progress', at: '2026-11-28T09:30:01.000Z', ...progress },
  {
    type: 'done',
    at: '2026-11-28T09:30:01.200Z',
    status: 'succeeded',
    report: summaryOf(report),
    error: null,
  },
];

export const datasetExamples: Record<string, readonly Exchange[]> = {
  importDataset: [
    {
      summary: 'A small zip',
      parameters: { name: 'strokes' },
      body: {
        type: 'application/zip',
        base64: fewPictures,
        shown: 'a zip: bar/1.png, bar/2.png, line/1.png, line/2.png',
      },
      status: 202,
      answer: importing,
    },
    {
      summary: 'A built-in name',
      parameters: mnist,
      body: { type: 'application/zip', base64: fewPictures, shown: 'a zip' },
      status: 400,
      answer: invalid(
        '/datasets',
        'querystring',
        'name',
        'expected another name than mnist and fashion-mnist, which are built in, got "mnist"',
      ),
    },
  ],
  listDatasets: [
    {
      summary: 'One built in, one under way',
      status: 200,
      answer: { data: [builtIn, { ...importing, progress }] },
    },
    {
      summary: 'A status that there is not',
      parameters: { status: 'done' },
      status: 400,
      answer: invalid(
        '/datasets',
        'querystring',
        'status',
        'expected one of "importing", "ready", "failed", got "done"',
      ),
    },
  ],
  getDataset: [
    { summary: 'Imported', parameters: { name: 'strokes' }, status: 200, answer: ready },
    {
      summary: 'No such data set',
      parameters: { name: 'letters' },
      status: 404,
      answer: unknownAt('/datasets/letters'),
    },
  ],
  followImport: [
    {
      summary: 'A whole import',
      parameters: { name: 'strokes' },
      status: 200,
      type: 'text/event-stream',
      answer: eventStream(events),
    },
    { summary: 'A built-in one, which nobody imports', parameters: mnist, status: 204, answer: null },
    {
      summary: 'No such data set',
      parameters: { name: 'letters' },
      status: 404,
      answer: unknownAt('/datasets/letters/events'),
    },
  ],
  removeDataset: [
    {
      summary: 'A built-in one',
      parameters: mnist,
      status: 409,
      answer: problem({
        title: 'Conflict',
        status: 409,
        code: 'DATASET_BUILT_IN',
        detail: 'expected a data set that was imported, got "mnist", which comes with the program',
        instance: '/datasets/mnist',
      }),
    },
    { summary: 'Deleted', parameters: { name: 'strokes' }, status: 204, answer: null },
  ],
  drawSamples: [
    {
      summary: 'Nine of them',
      parameters: { ...mnist, seed: '1' },
      status: 200,
      type,
      answer: '/datasets/mnist/samples.png',
    },
    {
      summary: 'No number',
      parameters: { ...mnist, seed: 'mine' },
      status: 400,
      answer: invalid('/datasets/mnist/samples.png', 'querystring', 'seed', 'expected a number, got "mine"'),
    },
  ],
  getTestImage: [
    {
      summary: 'The first, a seven',
      parameters: { ...mnist, index: '0' },
      status: 200,
      type,
      answer: picture,
    },
    {
      summary: 'One too many',
      parameters: { ...mnist, index: '10000' },
      status: 404,
      answer: problem({
        title: 'Not Found',
        status: 404,
        code: 'PICTURE_NOT_FOUND',
        detail: 'expected 0 to 9999, the pictures of the test part of mnist, got 10000',
        instance: '/datasets/mnist/test/10000.png',
      }),
    },
  ],
  getTrainImage: [
    {
      summary: 'The first, a five',
      parameters: { ...mnist, index: '0' },
      status: 200,
      type,
      answer: '/datasets/mnist/train/0.png',
    },
    {
      summary: 'No number',
      parameters: { ...mnist, index: 'x' },
      status: 400,
      answer: invalid(
        '/datasets/mnist/train/x.png',
        'params',
        'index',
        'expected a whole number from 0, got "x"',
      ),
    },
  ],
};

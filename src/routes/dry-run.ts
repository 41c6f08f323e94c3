/** POST /jobs/train?dryRun=true: what a job would do, without queueing it. */
import { z } from 'zod';
import { type ResolvedRequest, resolvedRequestSchema } from '../jobs/contract.ts';
import { type Forecast, forecast } from '../jobs/producer/forecast.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import type { DatasetDescription } from '../model/data/dataset.ts';
import { areSame, listLabels } from '../model/data/labels.ts';
import type { DatasetLibrary } from '../model/data/load-dataset.ts';
import type { ChampionLabels } from './version-labels.ts';

const fewPictures = 10; // of a label, to learn from
const mostUnequal = 5; // times as many pictures of one label as of another
const fewTests = 100; // pictures

const warningCodes = [
  'NO_PICTURES',
  'FEW_PICTURES',
  'UNEQUAL_LABELS',
  'FEW_TESTS',
  'MODEL_LABELS_DIFFER',
] as const;

export const dryRunSchema = z
  .object({
    request: resolvedRequestSchema,
    forecast: z
      .object({
        seconds: z.number().describe('At most, where `patience` may end the training earlier'),
        measuredOn: z.string().describe('The job whose speed it is reckoned from'),
      })
      .nullable()
      .describe('null: no job has been measured yet'),
    warnings: z.array(z.object({ code: z.enum(warningCodes), message: z.string() })),
  })
  .meta({ id: 'DryRun' });
type DryRun = z.output<typeof dryRunSchema>;
type Warning = DryRun['warnings'][number];

type Ports = {
  readonly queue: Pick<JobQueue, 'list'>;
  readonly datasets: Pick<DatasetLibrary, 'describe'>;
  readonly championLabels: ChampionLabels;
};

export async function dryRun(
  request: ResolvedRequest,
  dataset: DatasetDescription,
  { queue, datasets, championLabels }: Ports,
): Promise<DryRun> {
  const expected: Forecast | null = await forecast(request, dataset, queue, datasets.describe);
  const other = otherLabels(request, dataset.labels, await championLabels(request.model));
  return { request, forecast: expected, warnings: [...warningsAbout(dataset, request), ...other] };
}

type Asked = Pick<ResolvedRequest, 'trainImages' | 'testImages' | 'balance'>;

/** What may make the result worse than it could be, or less certain than it looks. */
export function warningsAbout(dataset: DatasetDescription, request: Asked): Warning[] {
  return [
    ...fewToLearnFrom(dataset, request),
    ...unequalLabels(dataset, request),
    ...fewToTestWith(dataset, request),
  ];
}

/** The first `trainImages` pictures are of all labels in turn, as the order of a set is random. */
function fewToLearnFrom({ labels, counts, byLabel }: DatasetDescription, { trainImages }: Asked): Warning[] {
  const train = byLabel?.train ?? labels.map(() => counts.train / labels.length);
  const share = Math.min(1, (trainImages ?? counts.train) / Math.max(1, counts.train));
  const none = labels.filter((_, i) => train[i] === 0);
  const few = labels.filter((_, i) => train[i]! >= fewPictures && train[i]! * share < fewPictures);
  const fewAtAll = labels.filter((_, i) => train[i]! > 0 && train[i]! < fewPictures);
  const warnings: Warning[] = [];
  if (none.length > 0) {
    const message = `no picture to learn from: ${listed(none)}; a network can't learn what it never sees: add some`;
    warnings.push({ code: 'NO_PICTURES', message });
  }
  if (fewAtAll.length > 0) {
    const message = `fewer than ${fewPictures} pictures to learn from: ${listed(fewAtAll)}; add some`;
    warnings.push({ code: 'FEW_PICTURES', message });
  }
  if (few.length > 0) {
    const message = `the first ${trainImages} training pictures have fewer than ${fewPictures} of ${listed(few)}; raise "trainImages"`;
    warnings.push({ code: 'FEW_PICTURES', message });
  }
  return warnings;
}

function unequalLabels({ labels, byLabel }: DatasetDescription, { balance }: Asked): Warning[] {
  const train = byLabel?.train ?? [];
  const [least, most] = [Math.min(...train), Math.max(...train)];
  if (train.length === 0 || most <= mostUnequal * least) return [];
  const rare = labels.filter((_, i) => train[i]! * mostUnequal < most);
  const advice = balance
    ? 'rare labels are shown more often, more pictures of them are better'
    : 'set "balance" to show rare labels more often; more pictures of them are better';
  const message = `more than ${mostUnequal} times as many pictures of "${labels[train.indexOf(most)]}" as of ${listed(rare)}; ${advice}`;
  return [{ code: 'UNEQUAL_LABELS', message }];
}

function fewToTestWith({ counts }: DatasetDescription, { testImages }: Asked): Warning[] {
  const tests = Math.min(counts.test, testImages ?? counts.test);
  if (tests >= fewTests) return [];
  const message = `${tests} pictures to test with: one of them is ${(100 / Math.max(1, tests)).toFixed(1)} % of the accuracy; at least ${fewTests} tell more`;
  return [{ code: 'FEW_TESTS', message }];
}

/** @param current the labels that the model answers with; null: it has no champion */
export function otherLabels(
  { model, promote }: Pick<ResolvedRequest, 'model' | 'promote'>,
  labels: readonly string[],
  current: readonly string[] | null,
): Warning[] {
  if (!current || areSame(labels, current)) return [];
  const outcome =
    promote === 'always'
      ? 'from its first epoch on, the model answers with the labels of this training'
      : 'the new versions are kept back, and answer only once somebody promotes them';
  const message = `model ${model} answers with other labels, ${listLabels(current)} in place of ${listLabels(labels)}; ${outcome}: choose another "model" unless that is meant`;
  return [{ code: 'MODEL_LABELS_DIFFER', message }];
}

const mostListed = 5;

function listed(labels: readonly string[]): string {
  const named = labels.slice(0, mostListed).map((label) => `"${label}"`);
  return `${named.join(', ')}${labels.length > mostListed ? ` and ${labels.length - mostListed} more` : ''}`;
}

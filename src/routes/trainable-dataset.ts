/** The data set that a training job names. */
import type { TrainRequest } from '../jobs/contract.ts';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import { isBuiltIn } from '../model/data/built-in.ts';
import type { DatasetDescription } from '../model/data/dataset.ts';
import { areDigits } from '../model/data/labels.ts';
import type { DatasetLibrary } from '../model/data/load-dataset.ts';
import { buildNetwork, parameterCount } from '../model/network/network.ts';
import { mostParameters } from '../model/network/specification.ts';
import { HttpProblem } from './http/problem.ts';

export type DatasetPorts = {
  readonly datasets: Pick<DatasetLibrary, 'describe'>;
  readonly imports: Pick<ImportQueue, 'find'>;
};

/**
 * @throws HttpProblem 404 where there is no such data set; 409 where it is not ready; 400 where the request asks for more
 *   images than there are, or for what is made for digits or for ink only
 */
export async function expectTrainable(
  request: TrainRequest,
  ports: DatasetPorts,
): Promise<DatasetDescription> {
  const found = await expectDataset(request.dataset, ports);
  if (request.otherHands && !areDigits(found.labels)) {
    throw unsuited('otherHands', `data set ${found.name}, whose labels are not the digits 0 to 9`);
  }
  if (request.outliers && found.form !== 'ink')
    throw unsuited('outliers', `data set ${found.name} of the form "picture"`);
  expectImages('trainImages', request, found, 'train on');
  expectImages('testImages', request, found, 'test with');
  expectSize(request, found);
  return found;
}

/** @throws HttpProblem 404 where there is no such data set; 409 where it is not ready */
export async function expectDataset(
  name: string,
  { datasets, imports }: DatasetPorts,
): Promise<DatasetDescription> {
  const found = await datasets.describe(name);
  if (found) return found;
  const problem = await whyMissing(name, imports);
  const published = await datasets.describe(name); // its import may have ended between the two
  if (!published) throw problem;
  return published;
}

/** Says whether the data set that was not found is being imported, could not be imported, or is not known. */
export async function whyMissing(name: string, imports: DatasetPorts['imports']): Promise<HttpProblem> {
  const job = isBuiltIn(name) ? null : await imports.find(name);
  if (!job) return unknownDataset(name);
  return job.error ? importFailed(name, job.error.message) : stillImporting(name);
}

function stillImporting(name: string): HttpProblem {
  const detail = `expected a data set that is ready, got "${name}", which is being imported; wait for GET /datasets/${name}`;
  return new HttpProblem({ status: 409, code: 'DATASET_IMPORTING', detail });
}

function importFailed(name: string, reason: string): HttpProblem {
  const detail = `expected a data set that is ready, got "${name}"; its import failed because of this: ${reason}`;
  return new HttpProblem({ status: 409, code: 'DATASET_IMPORT_FAILED', detail });
}

/** Whoever asks for so many would otherwise train on fewer, or test with fewer, and not notice. */
function expectImages(
  field: 'trainImages' | 'testImages',
  request: TrainRequest,
  { name, counts }: DatasetDescription,
  what: string,
): void {
  const asked = request[field] ?? 0;
  const most = field === 'trainImages' ? counts.train : counts.test;
  if (asked <= most) return;
  const message = `expected at most ${most}, the images to ${what} of data set ${name}, got ${asked}; leave it out for all`;
  throw refused(field, message);
}

/** @throws HttpProblem 400 where layers of the request's own get too large by the last one, which follows from the labels */
function expectSize({ network }: TrainRequest, { name, labels }: DatasetDescription): void {
  if (typeof network !== 'object') return;
  const parameters = parameterCount(buildNetwork(network, labels.length));
  if (parameters <= mostParameters) return;
  const detail = `expected at most ${mostParameters} parameters in all, got ${parameters} with the layer for the ${labels.length} labels of ${name}; use a pool, or fewer filters or units`;
  throw refused('network', detail);
}

function unsuited(field: string, what: string): HttpProblem {
  return refused(field, `expected 0, or that it is left out, with ${what}`);
}

function refused(field: string, message: string): HttpProblem {
  const detail = `in the request's body: ${field}: ${message}`;
  return new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail, errors: [{ field, message }] });
}

export function unknownDataset(name: string): HttpProblem {
  const detail = isBuiltIn(name)
    ? `expected the files of data set ${name}, which are not on this machine; install the Debian package dataset-${name}`
    : `expected the name of a data set in GET /datasets, got "${name}"; import it with POST /datasets?name=${name}`;
  return new HttpProblem({ status: 404, code: 'DATASET_NOT_FOUND', detail });
}

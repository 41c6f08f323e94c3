/** The data set that a training job names. */
import type { TrainRequest } from '../jobs/contract.ts';
import { builtInNames, isBuiltIn } from '../model/data/built-in.ts';
import type { DatasetDescription } from '../model/data/dataset.ts';
import { areDigits } from '../model/data/labels.ts';
import type { DatasetLibrary } from '../model/data/load-dataset.ts';
import { HttpProblem } from './http/problem.ts';

/**
 * @throws HttpProblem 404 where there is no such data set; 400 where the request asks for what is made for digits or for ink
 *   only
 */
export async function expectTrainable(
  request: TrainRequest,
  datasets: Pick<DatasetLibrary, 'describe'>,
): Promise<DatasetDescription> {
  const found = await expectDataset(request.dataset, datasets);
  if (request.otherHands && !areDigits(found.labels)) {
    throw unsuited('otherHands', `data set ${found.name}, whose labels are not the digits 0 to 9`);
  }
  if (request.outliers && found.form !== 'ink')
    throw unsuited('outliers', `data set ${found.name} of the form "picture"`);
  return found;
}

/** @throws HttpProblem 404 where there is no such data set */
export async function expectDataset(
  name: string,
  datasets: Pick<DatasetLibrary, 'describe'>,
): Promise<DatasetDescription> {
  const found = await datasets.describe(name);
  if (!found) throw unknownDataset(name);
  return found;
}

function unsuited(field: string, what: string): HttpProblem {
  const detail = `expected ${field} to be 0 or left out with ${what}`;
  return new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail });
}

function unknownDataset(name: string): HttpProblem {
  const detail = isBuiltIn(name)
    ? `expected the files of data set ${name}, which are not on this machine; install the Debian package dataset-${name}`
    : `expected a data set in GET /datasets, such as ${builtInNames[0]}, got "${name}"; import it with POST /datasets?name=${name}`;
  return new HttpProblem({ status: 404, code: 'DATASET_NOT_FOUND', detail });
}

/** The public interface of the client, for browsers and Node; typed by the OpenAPI document. */
import type { components } from './schema.ts';

export { type ClientOptions, createClient, getReadiness, type TrainyardClient } from './client.ts';
export { addCorrection } from './corrections.ts';
export { datasetNameOf, type ImportOptions, importDataset } from './datasets.ts';
export type { ConnectionState, WatchOptions } from './event-stream.ts';
export { type ExportedFile, type ExportFormat, exportModel } from './export.ts';
export { predict, predictLine } from './predict.ts';
export { answerOf, type Call, expectDone, type Problem, ProblemError, retryAfterOf } from './problem.ts';
export { answerWhenAvailable, isTransient, isUnreachable, pause } from './retry.ts';
export { queueJob, tryJob } from './train.ts';
export { type NumberedEvent, type NumberedImportEvent, watchImport, watchJob } from './watch.ts';

type Schemas = components['schemas'];
export type Correction = Schemas['Correction'];
export type AddedCorrection = Schemas['AddedCorrection'];
export type Dataset = Schemas['Dataset'];
export type Decision = Schemas['Decision'];
export type DryRun = Schemas['DryRun'];
export type Evaluation = Schemas['Evaluation'];
export type ImportEvent = Schemas['ImportEvent'];
export type Job = Schemas['Job'];
export type JobEvent = Schemas['JobEvent'];
export type JobMetrics = Schemas['JobMetrics'];
export type KeptAnswer = Schemas['KeptAnswer'];
export type LinePrediction = Schemas['LinePrediction'];
export type Model = Schemas['Model'];
export type ModelComparison = Schemas['ModelComparison'];
export type Prediction = Schemas['Prediction'];
export type Promotion = Schemas['Promotion'];
export type Readiness = Schemas['Readiness'];
export type Recipe = Schemas['Recipe'];
export type RegisteredModel = Schemas['RegisteredModel'];
export type TrainRequest = Schemas['TrainRequest'];

/** The door of the client: for browsers and Node, typed by the OpenAPI document. */
import type { components } from './schema.ts';

export { type ClientOptions, createClient, type TrainyardClient } from './client.ts';
export { predict } from './predict.ts';
export { answerOf, type Problem, ProblemError } from './problem.ts';
export { type ConnectionState, type NumberedEvent, type WatchOptions, watchJob } from './watch.ts';

type Schemas = components['schemas'];
export type Evaluation = Schemas['Evaluation'];
export type Job = Schemas['Job'];
export type JobEvent = Schemas['JobEvent'];
export type JobMetrics = Schemas['JobMetrics'];
export type Model = Schemas['Model'];
export type Prediction = Schemas['Prediction'];
export type Readiness = Schemas['Readiness'];
export type Recipe = Schemas['Recipe'];
export type TrainRequest = Schemas['TrainRequest'];

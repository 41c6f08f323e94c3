/**
 * What each operation is asked and answers, by its operationId: for whoever reads /docs. The tests send every request
 * and compare what comes, so that none of it is made up.
 */
import type { OpenAPIV3_1 as OpenApi } from 'openapi-types';
import { correctionExamples } from './correction-examples.ts';
import { datasetExamples } from './dataset-examples.ts';
import type { Exchange } from './exchange.ts';
import { jobExamples } from './job-examples.ts';
import { modelExamples } from './model-examples.ts';
import { protocolExamples } from './protocol-examples.ts';
import { registryExamples } from './registry-examples.ts';
import { serviceExamples } from './service-examples.ts';

export const examples: Readonly<Record<string, readonly Exchange[]>> = {
  ...jobExamples,
  ...modelExamples,
  ...correctionExamples,
  ...registryExamples,
  ...datasetExamples,
  ...protocolExamples,
  ...serviceExamples,
};

export type Operation = OpenApi.OperationObject & { responses: Record<string, OpenApi.ResponseObject> };

/** Puts them where OpenAPI wants them: with each parameter, body and answer. */
export function addExamples(operation: Operation): void {
  for (const exchange of examples[operation.operationId ?? ''] ?? []) {
    if (exchange.status < 300) addParameters(operation, exchange);
    const request = operation.requestBody as OpenApi.RequestBodyObject | undefined;
    const { body, answer } = exchange;
    if (body) addTo(request?.content[body.type], exchange, shownBody(body));
    const [response] = Object.values(operation.responses[exchange.status]?.content ?? {});
    addTo(response, exchange, answer);
  }
}

function shownBody(body: NonNullable<Exchange['body']>): unknown {
  if ('at' in body) return body.at;
  return 'shown' in body ? body.shown : body.value;
}

function addParameters({ parameters = [] }: Operation, exchange: Exchange): void {
  for (const parameter of parameters as OpenApi.ParameterObject[]) {
    const value = exchange.parameters?.[parameter.name];
    if (value === undefined) continue;
    const { type } = parameter.schema as OpenApi.SchemaObject;
    parameter.example ??= type === 'integer' ? Number(value) : value;
  }
}

/** Bytes can't be shown: it says where they are to be had. (Generators would fetch an `externalValue`.) */
function addTo(media: OpenApi.MediaTypeObject | undefined, { summary }: Exchange, value: unknown): void {
  if (!media) return;
  const isBinary = media.schema && 'format' in media.schema && media.schema.format === 'binary';
  const name = summary.toLowerCase().replaceAll(/\W+/g, '-');
  const isPath = isBinary && String(value).startsWith('/');
  const shown = isPath ? `the bytes that GET ${String(value)} answers` : value;
  media.examples = { ...media.examples, [name]: { summary, value: shown } };
}

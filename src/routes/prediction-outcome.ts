/** Turns what the predictor says of a picture into a prediction or a problem. */
import type { PredictFailure, PredictOutcome } from '../model/serving/messages.ts';
import { HttpProblem } from './http/problem.ts';

const statusOf: Record<PredictFailure['code'], number> = {
  IMAGE_EMPTY: 422,
  IMAGE_TYPE_UNSUPPORTED: 415,
  IMAGE_TOO_LARGE: 413,
  IMAGE_NOT_DECODABLE: 422,
  IMAGE_NO_INK: 422,
  IMAGE_NOT_READ: 500,
  NO_MODEL: 503,
  MODEL_UNKNOWN: 404,
  MODEL_NOT_FOUND: 404,
  ALIAS_NOT_FOUND: 404,
  MODEL_NOT_LOADABLE: 409,
  MODEL_NOT_LOADED_YET: 503,
  LINE_NEEDS_INK: 409,
  MIN_VERSION_NOT_SERVED: 409,
  PREDICTOR_RESTARTED: 503,
  PREDICT_TIMEOUT: 503,
  OVERLOADED: 503,
  CANCELLED: 499, // the client has left and does not read it
};

/** @throws HttpProblem for an outcome that is no prediction; `index` of `count` pictures */
export function expectPrediction<Found extends { readonly ok: true }>(
  outcome: PredictOutcome<Found>,
  index: number,
  count: number,
): Omit<Found, 'ok'> {
  if (outcome.ok) {
    const { ok: _, ...prediction } = outcome;
    return prediction;
  }
  const status = statusOf[outcome.code];
  const detail = count > 1 ? `image ${index + 1} of ${count}: ${outcome.message}` : outcome.message;
  const retryAfterSeconds =
    'retryAfterSeconds' in outcome ? outcome.retryAfterSeconds : status === 503 ? 1 : undefined;
  throw new HttpProblem({ status, code: outcome.code, detail, retryAfterSeconds });
}

/** Whether the service, not the picture, is why there is no prediction now. */
export function isUnavailable(outcome: { readonly ok: true } | PredictFailure): boolean {
  return !outcome.ok && statusOf[outcome.code] === 503;
}

/** Why a run is not worth continuing. */
import type { Split } from '../data/dataset.ts';
import { type Answers, constantAnswerAccuracy } from './evaluate.ts';
import type { TrainOutcome, TrainPlan } from './training-run.ts';

/**
 * Looks at how the network reads the test images after an epoch; null where nothing is wrong with it.
 *
 * @param collapsible the plan, whose learning rate may be too high; null while that still rises
 */
export function findFailure(
  epoch: number,
  test: Split,
  answers: Answers,
  collapsible: Pick<TrainPlan, 'learningRate' | 'seed'> | null,
): TrainOutcome | null {
  if (!Number.isFinite(answers.loss)) return lossNotFinite(epoch, answers.loss);
  if (!isConstantAnswer(test, answers) || collapsible === null) return null;
  const message =
    `after epoch ${epoch} the network is no better than one fixed answer: expected more than ` +
    `${percent(constantAnswerAccuracy(test))} test accuracy, got ${percent(answers.accuracy)}; try a lower learningRate ` +
    `than ${collapsible.learningRate}, or another seed than ${collapsible.seed}`;
  return { status: 'failed', code: 'TRAINING_COLLAPSED', message };
}

/** Whether the network is no better than the same answer every time. */
export function isConstantAnswer(test: Split, { accuracy }: Pick<Answers, 'accuracy'>): boolean {
  return accuracy <= constantAnswerAccuracy(test);
}

export function lossNotFinite(epoch: number, loss: number): TrainOutcome {
  const message = `expected a finite loss, got ${loss} in epoch ${epoch}; try a lower learningRate`;
  return { status: 'failed', code: 'LOSS_NOT_FINITE', message };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

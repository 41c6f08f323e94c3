/** Recipes: named sets of training values, which a job may override one by one. */
import type { NetworkName } from '../network/network.ts';

export const scheduleNames = ['constant', 'oneCycle'] as const;

export type Recipe = {
  readonly network: NetworkName;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number; // the peak, where the schedule has one
  readonly schedule: (typeof scheduleNames)[number];
  readonly warmup: number; // share of all steps that rise to the peak; oneCycle only
  readonly labelSmoothing: number;
  readonly shuffle: boolean;
  readonly augment: boolean; // distorts each image anew every time it is trained on
  readonly otherHands: number; // share of the images of 1, 2, 4, 7, 9 that are replaced by made ones (other-hand.ts)
  readonly outliers: number; // made images of what is no digit in each batch, as a share of its size; 0: none
  readonly calibrationImages: number; // the last N training images, at most, are held back for it; 0: no calibration
  readonly trainImages: number | null; // the first N training images; null: all but those held back
};

export type RecipeName = 'default' | 'fast' | 'accurate' | 'article';
export const recipeNames = [
  'default',
  'fast',
  'accurate',
  'article',
] as const satisfies readonly RecipeName[];

/** Trains the article's network without a collapse, to 99.2 % in a minute on two cores. */
const defaultRecipe: Recipe = {
  network: 'article',
  epochs: 1,
  batchSize: 64,
  learningRate: 0.0035,
  schedule: 'oneCycle',
  warmup: 0.2,
  labelSmoothing: 0.1,
  shuffle: true,
  augment: false,
  otherHands: 0.05,
  outliers: 0.125,
  calibrationImages: 2000,
  trainImages: null,
};

export const recipes: Readonly<Record<RecipeName, Recipe>> = {
  default: defaultRecipe,
  /** Reaches 99 % as soon as possible: one pass over two thirds of the images. */
  fast: { ...defaultRecipe, trainImages: 40_000 },
  /** Reaches more than 99.6 %: 16 epochs, in each of which every image is distorted differently. */
  accurate: {
    ...defaultRecipe,
    epochs: 16,
    batchSize: 128,
    learningRate: 0.002,
    warmup: 0.1,
    augment: true,
  },
  /**
   * Trains exactly as the article does: Adam at 0.01, nine epochs, no shuffling. That learning rate is too high for
   * this network: with about a third of all seeds it collapses in the first epoch.
   */
  article: {
    network: 'article',
    epochs: 9,
    batchSize: 64,
    learningRate: 0.01,
    schedule: 'constant',
    warmup: 0,
    labelSmoothing: 0,
    shuffle: false,
    augment: false,
    otherHands: 0,
    outliers: 0,
    calibrationImages: 0,
    trainImages: null,
  },
};

/** What a plan did that an earlier version of this program made, before these values existed. */
export const valuesOfEarlierPlans = {
  augment: false,
  otherHands: 0,
  outliers: 0,
  calibrationImages: 0,
  corrections: false,
} as const;

/** One line on each recipe, for people who have to choose one. */
export const recipeSummaries: Readonly<Record<RecipeName, string>> = {
  default: '99.2 % and more of the test images right after one epoch, a minute on two cores',
  fast: 'To 99 % as soon as can be: two thirds of the images, once',
  accurate: 'Beyond 99.6 %: 16 epochs of images that are distorted anew each time',
  article: 'Exactly as the article trains: 9 epochs at a rate with which about a third of all seeds collapse',
};

/**
 * The learning rate of a step, 0 ≤ step < steps. `oneCycle` rises from 0 to the peak and falls back
 * to 0, each along half a cosine (Smith and Topin, 2019).
 */
export function learningRateAt(recipe: Recipe, step: number, steps: number): number {
  if (recipe.schedule === 'constant') return recipe.learningRate;
  const done = (step + 0.5) / steps; // the middle of the step, so that no step is lost to a rate of 0
  const phase =
    done < recipe.warmup ? done / recipe.warmup - 1 : (done - recipe.warmup) / (1 - recipe.warmup);
  return (recipe.learningRate * (1 + Math.cos(Math.PI * phase))) / 2;
}

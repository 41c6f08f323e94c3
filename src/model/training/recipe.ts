/** Recipes: named sets of training values, which a job may override one by one. */
import type { DatasetDescription } from '../data/dataset.ts';
import { areDigits } from '../data/labels.ts';
import type { NetworkName, NetworkSpecification } from '../network/specification.ts';

export const scheduleNames = ['constant', 'oneCycle'] as const;

export type Recipe = {
  readonly network: NetworkSpecification;
  readonly epochs: number; // at most, where there is a `patience`
  readonly passes: number; // through the images, in an epoch
  readonly patience: number | null; // ends after so many epochs without a lower loss on the images held back
  readonly batchSize: number;
  readonly learningRate: number; // the peak, where the schedule has one
  readonly schedule: (typeof scheduleNames)[number];
  readonly warmup: number; // share of all steps that rise to the peak; oneCycle only
  readonly labelSmoothing: number;
  readonly shuffle: boolean;
  readonly balance: boolean; // shows images of rare labels more often (epoch-order.ts)
  readonly augment: boolean; // distorts each image anew every time it is trained on
  readonly otherHands: number; // share of the images of 1, 2, 4, 7, 9 that are replaced by made ones (other-hand.ts)
  readonly outliers: number; // made images of none of the labels in each batch, as a share of its size; 0: none
  readonly calibrationImages: number; // the last N training images, at most, are held back for it; 0: no calibration
  readonly trainImages: number | null; // the first N training images; null: all but those held back
};

/** A recipe as it is offered: its network is one of those with a name. */
type NamedRecipe = Recipe & { readonly network: NetworkName };

export const recipeNames = ['default', 'small', 'fast', 'accurate', 'article'] as const;
export type RecipeName = (typeof recipeNames)[number];

/** Trains the article's network without a collapse, to 99.2 % in a minute on two cores. */
const defaultRecipe: NamedRecipe = {
  network: 'article',
  epochs: 1,
  passes: 1,
  patience: null,
  batchSize: 64,
  learningRate: 0.0035,
  schedule: 'oneCycle',
  warmup: 0.2,
  labelSmoothing: 0.1,
  shuffle: true,
  balance: false,
  augment: false,
  otherHands: 0.05,
  outliers: 0.125,
  calibrationImages: 2000,
  trainImages: null,
};

export const recipes: Readonly<Record<RecipeName, NamedRecipe>> = {
  default: defaultRecipe,
  /** Learns from few images: distorts them, shows rare labels more often, stops when it learns no more. */
  small: {
    ...defaultRecipe,
    epochs: 12,
    patience: 4,
    batchSize: 32,
    learningRate: 0.002,
    warmup: 0.1,
    balance: true,
    augment: true,
  },
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
    passes: 1,
    patience: null,
    batchSize: 64,
    learningRate: 0.01,
    schedule: 'constant',
    warmup: 0,
    labelSmoothing: 0,
    shuffle: false,
    balance: false,
    augment: false,
    otherHands: 0,
    outliers: 0,
    calibrationImages: 0,
    trainImages: null,
  },
};

const smallSet = 20_000; // training images; with fewer, `small` is the recipe unless another one is asked for
const imagesAnEpoch = 5000; // of `small`
const mostPasses = 100;

/** The set that a recipe is to train on. */
export type RecipeTarget = Pick<DatasetDescription, 'labels' | 'form' | 'counts'>;

export function recipeNameFor({ counts }: RecipeTarget): RecipeName {
  return counts.train < smallSet ? 'small' : 'default';
}

/**
 * A recipe's values for a data set. Other writers' hands are known for digits only, and what shows none of the labels is
 * known where ink is drawn: a picture may show anything.
 */
export function recipeFor(name: RecipeName, { labels, form, counts }: RecipeTarget): Recipe {
  const recipe = recipes[name];
  const passes = Math.round(imagesAnEpoch / Math.max(1, counts.train));
  const { trainImages } = recipe;
  return {
    ...recipe,
    trainImages: trainImages !== null && trainImages < counts.train ? trainImages : null,
    passes: name === 'small' ? Math.min(mostPasses, Math.max(1, passes)) : recipe.passes,
    otherHands: areDigits(labels) ? recipe.otherHands : 0,
    outliers: form === 'ink' ? recipe.outliers : 0,
  };
}

/** What a plan did that an earlier version of this program made, before these values existed. */
export const valuesOfEarlierPlans = {
  passes: 1,
  patience: null,
  balance: false,
  augment: false,
  otherHands: 0,
  outliers: 0,
  calibrationImages: 0,
  corrections: false,
} as const;

/** One line on each recipe, for people who have to choose one. */
export const recipeSummaries: Readonly<Record<RecipeName, string>> = {
  default: '99.2 % and more of the test images right after one epoch, a minute on two cores',
  small:
    'From 20 images a label on: distorts them, shows rare labels more often, stops when it learns no more',
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

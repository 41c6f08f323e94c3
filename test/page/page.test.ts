/** The page in a real Chromium, on a real service. */
import { afterAll, beforeAll, describe } from 'vitest';
import { launchChromium } from '../../harness/chromium.ts';
import { describeAway } from './away.ts';
import { describeBudget } from './budget.ts';
import { describeDatasets } from './datasets.ts';
import { describeDraw } from './draw.ts';
import { describeKey } from './key.ts';
import { describeKeyboard } from './keyboard.ts';
import { describeLabels } from './labels.ts';
import { describeLayout } from './layout.ts';
import { describeMatrix } from './matrix.ts';
import { describeModels } from './models.ts';
import { describePrefix } from './prefix.ts';
import { describeRegistry } from './registry.ts';
import { describeReview } from './review.ts';
import { raiseStage, type Stage } from './stage.ts';
import { describeTrain } from './train.ts';

const launched = await launchChromium();
if (!launched.ok) console.log(`the page is not tested: ${launched.reason}`);

describe.skipIf(!launched.ok)('the page', () => {
  let stage: Stage;
  beforeAll(async () => {
    if (launched.ok) stage = await raiseStage(launched.browser);
  });
  afterAll(async () => {
    await stage?.close();
    if (launched.ok) await launched.browser.close();
  });

  describeDraw(() => stage);
  describeModels(() => stage);
  describeRegistry(() => stage);
  describeReview(() => stage);
  describeLayout(() => stage);
  describeBudget(() => stage);
  describePrefix(() => stage);
  describeTrain(() => stage);
  describeKeyboard(() => stage);
  describeAway(() => stage);
  describeKey(() => stage);
  describeDatasets(() => stage);
  describeLabels(() => stage); // late: from then on there are two models
  describeMatrix(() => stage);
});

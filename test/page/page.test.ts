/** The page in a real Chromium, on a real service. */
import { afterAll, beforeAll, describe } from 'vitest';
import { launchChromium } from './chromium.ts';
import { describeDraw } from './draw.ts';
import { describeRules } from './rules.ts';
import { raiseStage, type Stage } from './stage.ts';

const launched = await launchChromium();
if (!launched.ok) console.log(`the page is not tested: ${launched.reason}`);

describe.skipIf(!launched.ok)('the page', () => {
  let stage: Stage;
  beforeAll(async () => {
    if (launched.ok) stage = await raiseStage(launched.browser);
  }, 180_000);
  afterAll(async () => {
    await stage?.close();
    if (launched.ok) await launched.browser.close();
  });

  describeDraw(() => stage);
  describeRules(() => stage);
});

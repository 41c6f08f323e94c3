import { describe, expect, it } from 'vitest';
import { launchChromium } from '../../harness/chromium.ts';

describe('where there is no Chromium', () => {
  it('the reason names what was looked for', async () => {
    const launched = await launchChromium({ PATH: '/nowhere' });
    expect(launched).toEqual({
      ok: false,
      reason:
        'expected chromium-headless-shell or chromium or chromium-browser or google-chrome-stable or google-chrome on the PATH, found none',
    });
  });

  it('the reason names the one that does not start', async () => {
    const launched = await launchChromium({ CHROMIUM_PATH: '/bin/false' });
    expect(launched).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^\/bin\/false does not start: ./),
    });
  });
});

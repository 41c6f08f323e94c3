import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Serving } from '../../../src/model/serving/follow-registry.ts';
import { defaultModel, selectVersion } from '../../../src/model/serving/select-version.ts';

const mnist = { champion: 3, aliases: { champion: 3, challenger: 5 }, traffic: null, revision: 4 };
const letters = { champion: 4, aliases: { champion: 4 }, traffic: null, revision: 1 };
const both: Serving = { mnist, letters };

describe('the version that answers', () => {
  it.each([
    [{}, { version: 3, alias: 'champion', isPinned: false }],
    [{ model: 'letters' }, { version: 4, alias: 'champion', isPinned: false }],
    [{ alias: 'champion' }, { version: 3, alias: 'champion', isPinned: false }],
    [{ alias: 'challenger' }, { version: 5, alias: 'challenger', isPinned: true }],
    [{ version: 9 }, { version: 9, alias: null, isPinned: true }],
    [{ minVersion: 3 }, { version: 3, alias: 'champion', isPinned: false }],
  ])('of %j is %j', (selector, expected) => {
    expect(selectVersion(both, selector, 0)).toEqual({ ok: true, ...expected });
  });

  it.each([
    [{ model: 'digits' }, 'MODEL_UNKNOWN', 'expected model to be one of mnist, letters, got digits'],
    [{ alias: 'old' }, 'ALIAS_NOT_FOUND', 'expected an alias of mnist (champion, challenger), got old'],
    [{ minVersion: 4 }, 'MIN_VERSION_NOT_SERVED', 'version 4 or a newer one within 5 s, it is 3'],
  ])('of %j is none: %s', (selector, code, message) => {
    expect(selectVersion(both, selector, 0)).toMatchObject({
      ok: false,
      code,
      message: expect.stringContaining(message),
    });
  });

  it('is none before the first model', () => {
    expect(selectVersion({}, {}, 0)).toMatchObject({ ok: false, code: 'NO_MODEL' });
    expect(selectVersion({}, { model: 'mnist' }, 0)).toMatchObject({ ok: false, code: 'MODEL_UNKNOWN' });
    expect(selectVersion({ mnist: { ...mnist, champion: null, aliases: {} } }, {}, 0)).toMatchObject({
      code: 'NO_MODEL',
    });
  });

  it('is of mnist, or of the only model, where none is named', () => {
    expect(defaultModel(both)).toBe('mnist');
    expect(defaultModel({ letters })).toBe('letters');
    expect(defaultModel({ letters, signs: letters })).toBeNull();
    expect(selectVersion({ letters, signs: letters }, {}, 0)).toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining('got none, and there are several'),
    });
  });

  it('follows the shares of the traffic', () => {
    const share = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(share, (percent) => {
        const traffic = { challenger: percent, champion: 100 - percent };
        const serving: Serving = { mnist: { ...mnist, traffic } };
        let challengers = 0;
        for (let i = 0; i < 1000; i++) {
          const selected = selectVersion(serving, {}, (i + 0.5) / 1000);
          if (selected.ok && selected.alias === 'challenger') challengers++;
        }
        expect(challengers).toBe(10 * percent);
      }),
    );
  });

  it('is the champion where the alias of a share is gone', () => {
    const traffic = { gone: 100 };
    expect(selectVersion({ mnist: { ...mnist, traffic } }, {}, 0.5)).toMatchObject({ version: 3 });
  });
});

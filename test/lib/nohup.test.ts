import { describe, expect, it } from 'vitest';
import { ignoresHangup } from '../../src/lib/nohup.mjs';

describe('ignoresHangup', () => {
  it.each([
    [{ _: '/usr/bin/nohup' }, true],
    [{ _: 'nohup' }, true],
    [{ _: '/usr/bin/npm', IGNORE_SIGHUP: 'true' }, true],
    [{ _: '/usr/bin/npm', IGNORE_SIGHUP: '1' }, true],
    [{ _: '/usr/bin/nohup', IGNORE_SIGHUP: 'false' }, false],
    [{ _: '/usr/bin/not-nohup', IGNORE_SIGHUP: 'no' }, false],
  ])('with %j is %s', (environment, expected) => expect(ignoresHangup(environment)).toBe(expected));
});

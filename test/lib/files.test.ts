import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDir } from '../../src/lib/files.ts';
import { temporaryDirectory } from '../temporary.ts';

describe('a data directory', () => {
  it('is made with all above it, also by several at once, and taken as it is after that', async () => {
    const path = join(await temporaryDirectory(), 'a', 'b', 'c');
    await Promise.all([openDataDir(path), openDataDir(path), openDataDir(path)]);
    await openDataDir(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it.each(['', '/below'])('that is a file%s is refused, with what to do', async (below) => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    await expect(openDataDir(`${file}${below}`)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(
        /^expected to keep models and jobs in .*file.*; give that directory .*set DATA_DIR to/,
      ),
    });
  });

  it('where nothing can be made is refused rather than tried for ever', async () => {
    await expect(openDataDir('/proc/nope/data')).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  });
});

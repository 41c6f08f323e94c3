import { expect, it } from 'vitest';
import { explain } from '../../../src/jobs/worker/import-worker.ts';
import { TrainyardError } from '../../../src/lib/errors.ts';

it.each(['ENOSPC', 'EDQUOT'])(
  'an import that ends with %s says that the disk is full, and what to do',
  (code) => {
    const { code: told, message } = explain(new TrainyardError(code, `${code}: no space left, write`));
    expect(told).toBe('DISK_FULL');
    expect(message).toContain(`(${code}: no space left, write); free some, and send the archive again`);
  },
);

it('other errors of the file system are faults, errors of ours stay what they are', () => {
  const codeOf = (code: string) => explain(new TrainyardError(code, 'why')).code;
  expect(['EIO', 'EMFILE', 'IMPORT_CRASHED', 'IMPORT_FAULT'].map(codeOf)).toEqual([
    'IMPORT_FAULT',
    'EMFILE',
    'IMPORT_CRASHED',
    'IMPORT_FAULT',
  ]);
});

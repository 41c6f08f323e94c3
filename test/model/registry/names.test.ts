import { expect, it } from 'vitest';
import { datasetName } from '../../../src/model/registry/names.ts';

const refusalOf = (name: string) => datasetName.safeParse(name).error?.issues[0]?.message;

it('a name that is refused is told what is wrong with it', () => {
  expect([refusalOf('letters'), refusalOf('constructor-2')]).toEqual([undefined, undefined]);
  expect(refusalOf('Letters')).toBe(
    'expected a lower-case letter, then at most 62 lower-case letters, digits and hyphens',
  );
  expect(refusalOf('constructor')).toBe('expected a name other than "constructor"');
});

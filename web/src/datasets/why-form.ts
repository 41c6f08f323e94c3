import type { Dataset } from '../../../src/client/index.ts';
import { count } from '../ui/format.ts';

type Form = NonNullable<NonNullable<Dataset['report']>['form']>;

/** Which form the pictures are taken in, and why. */
export function whyForm({ asked, chosen, looked, drawn }: Form): string {
  const words = chosen === 'ink' ? 'Taken as ink' : 'Taken as pictures as they are';
  if (asked !== 'auto') return `${words}, as asked.`;
  return `${words}: of ${count(looked)} that were looked at, ${count(drawn)} look like one drawn character.`;
}

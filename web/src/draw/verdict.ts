/** How sure an answer is, in a few words. */
import type { Prediction } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';

export function sureness({ verdict, confidence }: Prediction): string {
  if (verdict === 'unknown') return 'probably no digit';
  return `${verdict === 'unsure' ? 'only ' : ''}${percent(confidence)} sure`;
}

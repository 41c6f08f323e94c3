/** What was decided about a newly published version, as its job and its events show it. */
import { z } from 'zod';
import { comparisonSchema, type Decision } from './decision.ts';

const { against, onlyCandidate, onlyChampion, p } = comparisonSchema.shape;

export const promotionSchema = z
  .object({
    decision: z
      .enum(['promoted', 'kept', 'held'])
      .describe('kept: by the gate; held: the job asked for no promotion'),
    version: z.int().positive(),
    champion: z.int().positive().describe('The version that answers after the decision'),
    against: against.nullable().describe('The version that it was compared with; null: there was none'),
    onlyCandidate: onlyCandidate.nullable(),
    onlyChampion: onlyChampion.nullable(),
    p: p.nullable(),
    accuracy: z.number().nullable().describe('Share of the images compared that the version reads right'),
    accuracyAgainst: z.number().nullable(),
    reason: z.string(),
  })
  .meta({ id: 'Promotion' });
export type Promotion = z.output<typeof promotionSchema>;

/** @param version about which it was decided */
export function promotionOf({ action, reason, comparison, state }: Decision, version: number): Promotion {
  const decision = action === 'kept' || action === 'held' ? action : 'promoted';
  const { against = null, onlyCandidate = null, onlyChampion = null, p = null } = comparison ?? {};
  const { accuracy = null, accuracyAgainst = null } = comparison ?? {};
  const champion = state.aliases['champion']?.version ?? version;
  const numbers = { against, onlyCandidate, onlyChampion, p, accuracy, accuracyAgainst };
  return { decision, version, champion, ...numbers, reason };
}

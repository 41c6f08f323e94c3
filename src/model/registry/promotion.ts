/** What was decided about a newly published version, as its job and its events show it. */
import { z } from 'zod';
import { comparisonSchema, type Decision } from './decision.ts';

const numbers = comparisonSchema.shape;

export const promotionSchema = z
  .object({
    decision: z
      .enum(['promoted', 'kept', 'held'])
      .describe('kept: by the gate; held: the job asked for no promotion'),
    version: z.int().positive(),
    champion: z.int().positive().describe('The version that answers after the decision'),
    against: numbers.against
      .nullable()
      .describe('The version that it was compared with; null: there was none'),
    onlyCandidate: numbers.onlyCandidate.nullable(),
    onlyChampion: numbers.onlyChampion.nullable(),
    p: numbers.p.nullable(),
    accuracy: z.number().nullable().describe('Share of the images compared that the version reads right'),
    accuracyAgainst: z.number().nullable(),
    reason: z.string(),
  })
  .meta({ id: 'Promotion' });
export type Promotion = z.output<typeof promotionSchema>;

/** @param version the version that was decided about */
export function promotionOf({ action, reason, comparison, state }: Decision, version: number): Promotion {
  return {
    decision: action === 'kept' || action === 'held' ? action : 'promoted',
    version,
    champion: state.aliases['champion']?.version ?? version,
    against: comparison?.against ?? null,
    onlyCandidate: comparison?.onlyCandidate ?? null,
    onlyChampion: comparison?.onlyChampion ?? null,
    p: comparison?.p ?? null,
    accuracy: comparison?.accuracy ?? null,
    accuracyAgainst: comparison?.accuracyAgainst ?? null,
    reason,
  };
}

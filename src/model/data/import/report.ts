/** The report on an import, of the set that came of it or of what was refused. */
import type { Report } from '../imported/manifest.ts';
import type { FormDecision } from './choose-form.ts';
import type { Found } from './choose-pictures.ts';
import { listedFiles } from './limits.ts';
import type { EntryProblem } from './problem.ts';

/** `accepted`: pictures in the set. */
export function reportOf(
  { found, accepted }: { readonly found: Found; readonly accepted: number },
  form: FormDecision,
  ignored: number,
  problems: readonly EntryProblem[],
): Report {
  const { duplicates, duplicateFiles, inTrainAndTest, notes } = found;
  return {
    accepted,
    duplicates,
    duplicateFiles: [...duplicateFiles],
    inTrainAndTest,
    ignored,
    ...problemsOf(problems),
    form: { ...form },
    notes: [...notes],
  };
}

/** The first problems in an order that doesn't depend on which thread was faster. */
export function problemsOf(problems: readonly EntryProblem[]): Pick<Report, 'problems' | 'problemCount'> {
  const sorted = problems.toSorted((a, b) => compare(a.path, b.path) || compare(a.code, b.code));
  return { problems: sorted.slice(0, listedFiles), problemCount: problems.length };
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

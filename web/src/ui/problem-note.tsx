/** A problem as people can read it: what was expected, what came, what to do next, and its code. */
import { isAbsence, type Problem } from '../api/outcome.ts';

export function ProblemNote({ problem }: { problem: Pick<Problem, 'code' | 'detail'> | null }) {
  if (problem === null || problem.code === 'ABORTED' || isAbsence(problem)) return null;
  return (
    <div class="problem" role="alert">
      <p>{sentence(problem.detail)}</p>
      <code>{problem.code}</code>
    </div>
  );
}

/** The API's details start small and end without a full stop, as parts of a log line do. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** A problem as people can read it: what was expected, what came, what to do next, and its code. */
import { isAbsence, type Problem } from '../api/outcome.ts';
import { sentence } from './sentence.ts';

export function ProblemNote({ problem }: { problem: Pick<Problem, 'code' | 'detail'> | null }) {
  if (problem === null || problem.code === 'ABORTED' || isAbsence(problem)) return null;
  return (
    <div class="problem" role="alert">
      <p>{sentence(problem.detail)}</p>
      <code>{problem.code}</code>
    </div>
  );
}

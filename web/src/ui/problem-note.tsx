/** A problem's detail and code. An unreachable server is shown by the frame. */
import { isUnreachable } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { sentence } from './sentence.ts';

export function ProblemNote({ problem }: { problem: Pick<Problem, 'code' | 'detail'> | null }) {
  if (problem === null || problem.code === 'ABORTED' || isUnreachable(problem)) return null;
  return (
    <div class="problem" role="alert">
      <p>{sentence(problem.detail)}</p>
      <code>{problem.code}</code>
    </div>
  );
}

/** The status of a job as a coloured dot and a word. */
import type { Job } from '../../../src/client/index.ts';

export function Status({ status }: { status: Job['status'] }) {
  return (
    <span class="status" data-status={status}>
      {status}
    </span>
  );
}

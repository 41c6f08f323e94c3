/** The state of a job as a signal lamp and a word. */
import type { Job } from '../api/client.ts';

export function Status({ status }: { status: Job['status'] }) {
  return (
    <span class="status" data-status={status}>
      {status}
    </span>
  );
}

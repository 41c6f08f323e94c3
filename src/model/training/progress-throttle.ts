/** Decides when a run reports its progress. Every report is kept with the job, so a run of hours reports less often. */

const longestPauseMs = 10_000;
const reportsBeforeSlowing = 1000; // then the pause grows with the run: 3,700 reports in an hour, 12,300 in a day

/** Returns a function that tells whether a report is due; when it is, the next pause begins. */
export function createProgressThrottle(pauseMs: number, now = () => performance.now()): () => boolean {
  const startedAt = now();
  let reportedAt = startedAt;
  return () => {
    const pause = Math.min(Math.max(pauseMs, (now() - startedAt) / reportsBeforeSlowing), longestPauseMs);
    if (now() - reportedAt < pause) return false;
    reportedAt = now();
    return true;
  };
}

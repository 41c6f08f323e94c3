/**
 * Trouble with Redis, told once when it begins and once when it ends, whichever command or loop meets it: Redis is away,
 * or it answers and refuses (a replica after a failover, a full memory, a missing permission).
 */
import { reasonOf, refusalOf } from './errors.ts';

export type Outage = {
  /** `part`: what could not be done, such as "reports". */
  failed(part: string, error: unknown): void;
  /** Something that may have failed before has been done. */
  worked(part?: string): void;
  /** What is wrong now; null: nothing is known to be. */
  reason(): string | null;
  close(): void;
};

export type OutageOptions = {
  /** Writes to Redis, as little as can be. */
  readonly probe: () => Promise<unknown>;
  /** `refused`: Redis answers, and refuses. */
  readonly onBegin: (reason: string, refused: boolean) => void;
  readonly onEnd: (seconds: number) => void;
};

const firstPauseMs = 250; // before the first probe; doubled each time …
const longestPauseMs = 2000; // … up to this

/** An outage of one process or connection. */
type Trouble = {
  readonly since: number;
  reason: string;
  /** Parts to which Redis refuses a command; a write that works shows nothing about them. */
  readonly refused: Set<string>;
  isAway: boolean; // no answer at all, as far as is known
  probeNow: () => void;
};

/**
 * Ends an outage when a write works again and each part to which Redis refused a command of its own (a missing
 * permission) has worked. A read proves nothing: replicas answer reads.
 */
export function createOutage({ probe, onBegin, onEnd }: OutageOptions): Outage {
  let trouble: Trouble | null = null;
  let isClosed = false;

  const recover = async (begun: Trouble) => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await pause(begun, pauseMs);
      if (isClosed) return;
      const works = await probe().then(
        () => true,
        (error: unknown) => {
          if (refusalOf(error) === null) begun.isAway = true;
          else note(begun, error);
          return false;
        },
      );
      if (!works || begun.refused.size > 0) continue;
      trouble = null;
      return onEnd((performance.now() - begun.since) / 1000);
    }
  };

  return {
    failed: (part, error) => {
      if (isClosed) return;
      const refusal = refusalOf(error);
      const isNew = trouble === null;
      trouble ??= {
        since: performance.now(),
        reason: '',
        refused: new Set(),
        isAway: true,
        probeNow: () => {},
      };
      note(trouble, error);
      if (refusal === 'command') trouble.refused.add(part);
      if (!isNew) return;
      onBegin(trouble.reason, refusal !== null);
      void recover(trouble);
    },
    worked: (part) => {
      if (!trouble) return;
      const wasRefused = part !== undefined && trouble.refused.delete(part);
      if (wasRefused || trouble.isAway) trouble.probeNow();
    },
    reason: () => trouble?.reason ?? null,
    close: () => {
      isClosed = true;
      trouble?.probeNow();
    },
  };
}

function note(trouble: Trouble, error: unknown): void {
  const reason = reasonOf(error);
  // What ioredis says of a command without a connection explains less than why there is none.
  if (trouble.reason === '' || !reason.startsWith("Stream isn't writeable")) trouble.reason = reason;
  trouble.isAway = refusalOf(error) === null;
}

/** Resolves after `ms`, or at `probeNow`. */
function pause(trouble: Trouble, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    trouble.probeNow = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

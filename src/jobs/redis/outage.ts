/**
 * Reports an outage of Redis once when it begins and once when it ends, however many commands fail. In an outage Redis is
 * away, or it answers and refuses commands (a replica after a failover, a full memory, a missing permission).
 */
import { reasonOf, refusalOf } from './errors.ts';

export type Outage = {
  /** A command has failed. `part` names what it was for, such as "reports". */
  failed(part: string, error: unknown): void;
  /** A command has succeeded that may have failed before. */
  worked(part?: string): void;
  /** Why Redis does not work now; null outside an outage. */
  reason(): string | null;
  close(): void;
};

export type OutageOptions = {
  /** Writes a little to Redis. */
  readonly probe: () => Promise<unknown>;
  /** `refused`: Redis answers and refuses, rather than being away. */
  readonly onBegin: (reason: string, refused: boolean) => void;
  readonly onEnd: (seconds: number) => void;
  readonly pauses?: ProbePauses;
};

/** The pause before the first probe, and the longest one: the pause doubles after each probe that fails. */
export type ProbePauses = { readonly firstMs: number; readonly longestMs: number };

const usualPauses: ProbePauses = { firstMs: 250, longestMs: 2000 };

type Trouble = {
  readonly since: number;
  reason: string;
  /** Parts whose commands Redis refuses; a successful probe proves nothing about them. */
  readonly refused: Set<string>;
  isAway: boolean; // the last command got no answer
  probeNow: () => void;
};

/**
 * The outage ends when a write succeeds and each part whose command was refused (a missing permission) has worked again.
 * A read proves nothing, since replicas answer reads.
 */
export function createOutage({ probe, onBegin, onEnd, pauses = usualPauses }: OutageOptions): Outage {
  let trouble: Trouble | null = null;
  let isClosed = false;

  const recover = async (begun: Trouble) => {
    for (let pauseMs = pauses.firstMs; ; pauseMs = Math.min(2 * pauseMs, pauses.longestMs)) {
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
  // "Stream isn't writeable" only says that there is no connection; keep the reason why there is none.
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

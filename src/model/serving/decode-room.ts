/** The memory that decodings of large pictures share: each waits until there is room for it, in order of arrival. */

export type DecodeRoom = {
  /**
   * Runs `decode` once `bytes` are free. What is larger than the whole room runs alone. Null, and not run, for a picture
   * that is no longer wanted when its turn comes.
   */
  run<Result>(bytes: number, decode: () => Promise<Result>, isWanted?: () => boolean): Promise<Result | null>;
};

type Waiting = {
  readonly bytes: number;
  readonly isWanted: () => boolean;
  readonly enter: (isIn: boolean) => void;
};

export function createDecodeRoom(limit: number): DecodeRoom {
  let waiting: Waiting[] = []; // oldest first
  let used = 0;
  const letIn = () => {
    for (const each of waiting) if (!each.isWanted()) each.enter(false);
    waiting = waiting.filter(({ isWanted }) => isWanted());
    while (waiting.length > 0 && (used === 0 || used + waiting[0]!.bytes <= limit)) {
      const { bytes, enter } = waiting.shift()!;
      used += bytes;
      enter(true);
    }
  };
  return {
    run: async (bytes, decode, isWanted = () => true) => {
      const isIn = await new Promise<boolean>((enter) => {
        waiting.push({ bytes, isWanted, enter });
        letIn();
      });
      if (!isIn) return null;
      try {
        return await decode();
      } finally {
        used -= bytes;
        letIn();
      }
    },
  };
}

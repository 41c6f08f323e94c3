/** The memory that decodings of large pictures share: each waits until there is room for it, in order of arrival. */

export type DecodeRoom = {
  /** Runs `decode` once `bytes` are free. What is larger than the whole room runs alone. */
  run<Result>(bytes: number, decode: () => Promise<Result>): Promise<Result>;
};

export function createDecodeRoom(limit: number): DecodeRoom {
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = []; // oldest first
  let used = 0;
  const letIn = () => {
    while (waiting.length > 0 && (used === 0 || used + waiting[0]!.bytes <= limit)) {
      const { bytes, enter } = waiting.shift()!;
      used += bytes;
      enter();
    }
  };
  return {
    run: async (bytes, decode) => {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter });
        letIn();
      });
      try {
        return await decode();
      } finally {
        used -= bytes;
        letIn();
      }
    },
  };
}

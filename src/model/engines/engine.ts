/** The engines by name, and what is known of one that is open. Loads no tfjs. */
export const engineNames = ['tensorflow', 'webgpu', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];
export type EnginePreference = 'auto' | EngineName;

/** What really computes; recorded in every job and in every model's manifest. */
export type Engine = {
  readonly name: EngineName;
  /** For people: 'TensorFlow 2.21.0, CPU, 2 threads'. */
  readonly device: string;
  readonly gpu: boolean;
  /** Why it is slower than what was asked for, in words: no TensorFlow, no GPU; null where it is what was asked for. */
  readonly fallback: string | null;
};

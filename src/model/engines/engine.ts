/** The names of the engines, and the description of an open one. This file loads no tfjs. */
export const engineNames = ['tensorflow', 'webgpu', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];
export type EnginePreference = 'auto' | EngineName;

/** The engine that really computes; recorded in every job and in every model's manifest. */
export type Engine = {
  readonly name: EngineName;
  /** For people: 'TensorFlow 2.21.0, CPU, 2 threads'. */
  readonly device: string;
  readonly gpu: boolean;
  /** Why this is a slower engine than was asked for (no TensorFlow, no GPU); null if it is the one asked for. */
  readonly fallback: string | null;
};

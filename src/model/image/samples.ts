/** Interleaved 8-bit samples, row-major; sRGB, whatever the file holds. */
export type Samples = {
  readonly values: Uint8Array; // [height × width × channels]
  readonly width: number;
  readonly height: number;
  readonly channels: number; // 1 grey, 3 RGB, 4 RGBA
};

/** What a network learns from: labelled images, cut into a part to train on and a part to test with. */

export const imageSide = 28; // pixels
export const imageSize = imageSide * imageSide; // 784 greys

export type Split = {
  readonly count: number;
  readonly images: Uint8Array; // [count × 784], 0 black … 255 white, row-major
  readonly labels: Uint8Array | Uint16Array; // [count], positions in the data set's labels
};

/** How a picture becomes 28×28 grey: drawn or written `ink` as MNIST was made, a `picture` fitted as it is. */
export const imageForms = ['ink', 'picture'] as const;
export type ImageForm = (typeof imageForms)[number];

/** What a data set is, without its images. */
export type DatasetDescription = {
  readonly name: string;
  readonly form: ImageForm;
  readonly labels: readonly string[];
  readonly counts: { readonly train: number; readonly test: number }; // images
  readonly byLabel?: { readonly train: readonly number[]; readonly test: readonly number[] }; // images of each label
  readonly testSet: string; // names the test part: two data sets with the same one have the same name for it
  readonly checksums: Readonly<Record<string, string>>; // SHA-256 of each file, by path, for a model's provenance
};

export type Dataset = DatasetDescription & { readonly train: Split; readonly test: Split };

/** The pixels [784] of one example. */
export function imageAt(split: Split, index: number): Uint8Array {
  return split.images.subarray(index * imageSize, (index + 1) * imageSize);
}

/** The first `count` examples of a split; all of it when `count` is null. */
export function firstOf(split: Split, count: number | null): Split {
  if (count === null || count >= split.count) return split;
  return {
    count,
    images: split.images.subarray(0, count * imageSize),
    labels: split.labels.subarray(0, count),
  };
}

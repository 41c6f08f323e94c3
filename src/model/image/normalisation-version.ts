/**
 * Version of the code that makes a network's input of a picture, in either form. Raise it with every change that gives some
 * picture other pixels; test/model/image/normalisation-version.test.ts fails where that was forgotten. Manifests and exported
 * files name it: whoever prepares pictures elsewhere, or compares two versions of a model, can tell them apart by it.
 */
export const normalisationVersion = 1;

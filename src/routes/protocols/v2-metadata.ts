/** What the Open Inference Protocol tells of the server and its models, over REST and over gRPC. */
import { programVersion } from '../../lib/program-version.ts';
import { imageSide } from '../../model/data/dataset.ts';
import type { Predictor } from '../../model/serving/predictor.ts';
import { aliasedVersions, type DescribedVersion } from './described-version.ts';
import { outputNames } from './v2-request.ts';

type Serving = Pick<Predictor, 'serving'>;

/** Not `model_repository`: that extension has the index, which is there, but also loads and unloads models. */
export const serverMetadata = {
  name: 'trainyard',
  version: programVersion,
  extensions: ['binary_tensor_data', 'classification'],
};

/** Whether any model answers. */
export function isReady(predictor: Serving): boolean {
  return Object.values(predictor.serving()).some(({ champion }) => champion !== null);
}

/** The versions that an alias points to, as Triton lists its models. */
export function repositoryIndex(predictor: Serving) {
  return Object.keys(predictor.serving()).flatMap((name) =>
    aliasedVersions(predictor, name).map((version) => ({
      name,
      version: String(version),
      state: 'READY',
      reason: '',
    })),
  );
}

export function modelMetadata({ model, labels }: DescribedVersion, predictor: Serving) {
  return {
    name: model,
    versions: aliasedVersions(predictor, model).map(String),
    platform: 'trainyard_tfjs',
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, imageSide, imageSide, 1] }],
    outputs: outputNames.map((name) =>
      name === 'probabilities'
        ? { name, datatype: 'FP32', shape: [-1, labels.length] }
        : { name, datatype: 'BYTES', shape: [-1] },
    ),
  };
}

/**
 * What Trainyard uses of tfjs, which is CommonJS. It is loaded by `require`: before an `import`, Node would search all of
 * tfjs's files for the names of their exports, which takes longer than loading them, in each process that computes.
 */
import { createRequire } from 'node:module';
import type * as Tfjs from '@tensorflow/tfjs';

export type {
  GradSaveFunc,
  KernelBackend,
  KernelFunc,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor4D,
  TensorInfo,
} from '@tensorflow/tfjs';

export type Conv2DInfo = Tfjs.backend_util.Conv2DInfo;
export type ExplicitPadding = Tfjs.backend_util.ExplicitPadding;

export const {
  avgPool,
  backend,
  backend_util,
  concat1d,
  concat2d,
  conv2d,
  customGrad,
  dispose,
  env,
  findBackendFactory,
  getBackend,
  getKernel,
  keep,
  loadLayersModel,
  logSoftmax,
  matMul,
  maxPool,
  memory,
  oneHot,
  ready,
  registerKernel,
  scalar,
  setBackend,
  softmax,
  split,
  tensor1d,
  tensor2d,
  tensor4d,
  tidy,
  transpose,
  unregisterKernel,
  util,
  valueAndGrads,
  version,
  zeros,
}: typeof Tfjs = createRequire(import.meta.url)('@tensorflow/tfjs');

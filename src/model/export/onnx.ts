/**
 * Writes ONNX: a graph from images to `probabilities`, calibrated as the service's own answers are, and to the `logits`
 * before that. Operators are those of opset 17; operators specification:
 * https://github.com/onnx/onnx/blob/main/docs/Operators.md.
 */
import { imageSide } from '../data/dataset.ts';
import { labelCountOf } from '../network/network.ts';
import type { Layer } from '../network/specification.ts';
import { modelOf } from '../store/manifest.ts';
import type { StoredModel } from '../store/read-version.ts';
import { type Block, bytesOf, channelsFirst } from './channels-first.ts';
import { describeVersion, temperatureOf } from './description.ts';
import { attributeType, elementType, modelProto } from './onnx-schema.ts';

const irVersion = 8; // the first that goes with opset 17
const opset = 17;
const batch = 'N'; // any number of images

type Attributes = Readonly<Record<string, number | readonly number[]>>;
type Graph = { readonly node: object[]; readonly initializer: object[] };

export function encodeOnnx(model: StoredModel): Uint8Array {
  const { manifest } = model;
  const labels = labelCountOf(manifest.network);
  const graph = {
    name: modelOf(manifest),
    ...graphOf(model),
    input: [tensorValue('images', [batch, 1, imageSide, imageSide], inputDoc(manifest.input))],
    output: [
      tensorValue('probabilities', [batch, labels], 'In the order of the labels; each row sums to 1.'),
      tensorValue('logits', [batch, labels], 'Before temperature and softmax.'),
    ],
  };
  return modelProto
    .encode({
      irVersion,
      producerName: 'Trainyard',
      modelVersion: manifest.version,
      docString: `Version ${manifest.version} of model ${modelOf(manifest)}.`,
      graph,
      opsetImport: [{ domain: '', version: opset }],
      metadataProps: Object.entries(describeVersion(manifest)).map(([key, value]) => ({ key, value })),
    })
    .finish();
}

/** The manifest describes the layout that Trainyard's networks take; with one channel, the values are in the same order. */
function inputDoc(input: string): string {
  return input.replace('[N, 28, 28, 1]', '[N, 1, 28, 28]');
}

function graphOf(model: StoredModel): Graph {
  const graph: Graph = { node: [], initializer: [] };
  const blocks = channelsFirst(model);
  let value = 'images';
  let isFlat = false;
  for (const [index, block] of blocks.entries()) {
    if (block.layer.kind === 'dense' && !isFlat) {
      value = addNode(graph, 'Flatten', [value], 'flat', { axis: 1 }); // [N, channels × height × width]
      isFlat = true;
    }
    value = addLayer(graph, block, value, index === blocks.length - 1 ? 'logits' : `layer${index + 1}`);
  }
  const temperature = Float32Array.of(temperatureOf(model.manifest));
  addTensor(graph, 'temperature', [], temperature);
  const calibrated = addNode(graph, 'Div', [value, 'temperature'], 'calibrated');
  addNode(graph, 'Softmax', [calibrated], 'probabilities', { axis: 1 });
  return graph;
}

/** Returns the name of the layer's output, which is `name` for the last one. */
function addLayer(graph: Graph, { layer, weight, bias }: Block, input: string, name: string): string {
  addTensor(graph, `${name}.weight`, weight.shape, weight.values);
  addTensor(graph, `${name}.bias`, [bias.length], bias);
  const inputs = [input, `${name}.weight`, `${name}.bias`];
  if (name === 'logits') return addNode(graph, 'Gemm', inputs, name, { transB: 1 });
  const sum =
    layer.kind === 'dense'
      ? addNode(graph, 'Gemm', inputs, `${name}.sum`, { transB: 1 })
      : addNode(graph, 'Conv', inputs, `${name}.sum`, windowOf(layer));
  const active = addNode(graph, 'Relu', [sum], `${name}.relu`);
  if (layer.kind === 'dense' || layer.pool === undefined) return active;
  const pool = [layer.pool, layer.pool];
  return addNode(graph, 'MaxPool', [active], `${name}.pool`, { kernel_shape: pool, strides: pool });
}

/** Kernels have odd sides, so padding by half of one on each side keeps the image's own. */
function windowOf({ kernelSize }: Extract<Layer, { kind: 'convolution' }>): Attributes {
  const half = (kernelSize - 1) / 2;
  return { kernel_shape: [kernelSize, kernelSize], pads: [half, half, half, half] };
}

function addNode(
  { node }: Graph,
  opType: string,
  input: readonly string[],
  output: string,
  attributes: Attributes = {},
): string {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? { name, type: attributeType.int, i: value }
      : { name, type: attributeType.ints, ints: value },
  );
  node.push({ name: `${output}:${opType}`, opType, input, output: [output], attribute });
  return output;
}

function addTensor({ initializer }: Graph, name: string, dims: readonly number[], values: Float32Array) {
  initializer.push({ name, dims, dataType: elementType.float, rawData: bytesOf(values) });
}

function tensorValue(name: string, shape: readonly (number | string)[], docString: string): object {
  const dim = shape.map((side) => (typeof side === 'string' ? { dimParam: side } : { dimValue: side }));
  return { name, docString, type: { tensorType: { elemType: elementType.float, shape: { dim } } } };
}

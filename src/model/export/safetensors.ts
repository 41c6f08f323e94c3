/**
 * Writes safetensors (https://github.com/huggingface/safetensors, "Format"): the length of the header in eight bytes, a JSON
 * header, then the tensors without gaps. Names and layouts are those of a PyTorch `nn.Sequential` of Conv2d, ReLU, MaxPool2d,
 * Flatten and Linear, so that its `load_state_dict` takes them.
 */
import type { StoredModel } from '../store/read-version.ts';
import { type Block, bytesOf, channelsFirst } from './channels-first.ts';
import { describeVersion } from './description.ts';

const alignment = 8; // bytes, to which the header is filled with spaces

export function encodeSafetensors(model: StoredModel): Buffer {
  const header: Record<string, unknown> = { __metadata__: describeVersion(model.manifest) };
  const parts: Uint8Array[] = [];
  let offset = 0;
  const add = (name: string, shape: readonly number[], values: Float32Array) => {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    parts.push(bytesOf(values));
    offset += values.byteLength;
  };
  const blocks = channelsFirst(model);
  for (const [index, position] of sequentialPositions(blocks).entries()) {
    const { weight, bias } = blocks[index]!;
    add(`${position}.weight`, weight.shape, weight.values);
    add(`${position}.bias`, [bias.length], bias);
  }
  return Buffer.concat([encodeHeader(header), ...parts]);
}

/** Where in the `nn.Sequential` each layer with parameters is; modules without parameters count too. */
function sequentialPositions(blocks: readonly Block[]): number[] {
  let next = 0;
  let isFlat = false;
  return blocks.map(({ layer }) => {
    if (layer.kind === 'dense' && !isFlat) {
      isFlat = true;
      next += 1; // Flatten
    }
    const position = next;
    const hasPool = layer.kind === 'convolution' && layer.pool !== undefined;
    next += hasPool ? 3 : 2; // itself, ReLU, MaxPool2d
    return position;
  });
}

function encodeHeader(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / alignment) * alignment;
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length));
  json.copy(bytes, 8);
  return bytes;
}

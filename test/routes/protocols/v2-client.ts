/** A client of the Open Inference Protocol with binary tensors, as tritonclient writes and reads them. */
export type Tensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
};

/** JSON and, after it, the data of an input. */
export function binaryBody(datatype: string, shape: readonly number[], data: Buffer, more: object = {}) {
  const input = { name: 'image', datatype, shape, parameters: { binary_data_size: data.length } };
  const json = Buffer.from(JSON.stringify({ inputs: [input], ...more }));
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    payload: Buffer.concat([json, data]),
  };
}

export function bytesOfFloats(values: ArrayLike<number>): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

export function bytesElements(elements: readonly Buffer[]): Buffer {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}

/** Reads an answer; binary outputs become numbers or strings. */
export function readAnswer(payload: Buffer, jsonLength: string | undefined) {
  const end = jsonLength === undefined ? payload.length : Number(jsonLength);
  const answer = JSON.parse(payload.toString('utf8', 0, end)) as {
    model_name: string;
    model_version: string;
    id?: string;
    outputs: Tensor[];
  };
  let at = end;
  const outputs = answer.outputs.map((output) => {
    const size = output.parameters?.binary_data_size;
    if (size === undefined) return output;
    const bytes = payload.subarray(at, (at += size));
    return { ...output, data: output.datatype === 'FP32' ? floatsOf(bytes) : stringsOf(bytes) };
  });
  if (at !== payload.length) throw new Error(`${payload.length - at} bytes are left`);
  return { ...answer, outputs: Object.fromEntries(outputs.map((output) => [output.name, output])) };
}

function floatsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function stringsOf(bytes: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    strings.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return strings;
}

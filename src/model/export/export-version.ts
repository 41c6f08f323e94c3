/** A published version as a file for other programs. */
import { modelOf } from '../store/manifest.ts';
import type { StoredModel } from '../store/read-version.ts';
import { modelCard } from './card.ts';
import { encodeOnnx } from './onnx.ts';
import { encodeSafetensors } from './safetensors.ts';
import { encodeTfjs } from './tfjs-archive.ts';

export const exportFormats = ['onnx', 'safetensors', 'tfjs', 'card'] as const;
export type ExportFormat = (typeof exportFormats)[number];

type Form = {
  readonly ending: string;
  readonly mediaType: string;
  readonly encode: (model: StoredModel) => Uint8Array | Promise<Uint8Array>;
};

const forms: Readonly<Record<ExportFormat, Form>> = {
  onnx: { ending: 'onnx', mediaType: 'application/octet-stream', encode: encodeOnnx },
  safetensors: { ending: 'safetensors', mediaType: 'application/octet-stream', encode: encodeSafetensors },
  tfjs: { ending: 'zip', mediaType: 'application/zip', encode: encodeTfjs },
  card: {
    ending: 'md',
    mediaType: 'text/markdown; charset=utf-8',
    encode: ({ manifest }) => Buffer.from(modelCard(manifest)),
  },
};

export type ExportedFile = {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
};

export async function exportVersion(model: StoredModel, format: ExportFormat): Promise<ExportedFile> {
  const { ending, mediaType, encode } = forms[format];
  const { manifest } = model;
  const name = `${modelOf(manifest)}-${manifest.version}.${ending}`;
  return { name, mediaType, bytes: await encode(model) };
}

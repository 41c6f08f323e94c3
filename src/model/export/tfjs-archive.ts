/**
 * Writes a zip with model.json and weights.bin, which `tf.loadLayersModel` of stock tfjs reads, and the card. The calibration's
 * temperature is in the last layer's weights, so that the network's own softmax gives the service's probabilities.
 */
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { sizesOf } from '../network/specification.ts';
import { encodeCheckpoint } from '../store/checkpoint.ts';
import type { StoredModel } from '../store/read-version.ts';
import { modelCard } from './card.ts';
import { describeVersion, temperatureOf } from './description.ts';

export async function encodeTfjs(model: StoredModel): Promise<Buffer> {
  const { manifest } = model;
  const files = encodeCheckpoint(manifest.network, calibratedWeights(model));
  const topology = JSON.parse(Buffer.from(files['model.json']).toString()) as object;
  const described = { ...topology, userDefinedMetadata: describeVersion(manifest) };
  const zip = new ZipFile();
  const mtime = new Date(manifest.createdAt);
  zip.addBuffer(Buffer.from(`${JSON.stringify(described, null, 2)}\n`), 'model.json', { mtime });
  // Weights hardly get smaller.
  zip.addBuffer(Buffer.from(files['weights.bin'].buffer), 'weights.bin', { mtime, compress: false });
  zip.addBuffer(Buffer.from(modelCard(manifest)), 'README.md', { mtime });
  zip.end();
  return buffer(zip.outputStream);
}

/** Kernel and bias of the last layer over the temperature: the logits come out divided by it. */
function calibratedWeights({ manifest, weights }: StoredModel): Float32Array {
  const temperature = temperatureOf(manifest);
  const { fanIn, units } = sizesOf(manifest.network.layers).at(-1)!;
  const calibrated = weights.slice();
  for (let i = weights.length - (fanIn + 1) * units; i < weights.length; i++) calibrated[i]! /= temperature;
  return calibrated;
}

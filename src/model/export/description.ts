/** What each exported file says of the version that it comes from, in texts by name: the formats allow no other values. */
import { type Manifest, modelOf, readingOf } from '../store/manifest.ts';

export function describeVersion(manifest: Manifest): Record<string, string> {
  const { labels, form } = readingOf(manifest);
  const { version, createdAt, network, calibration, normalisationVersion } = manifest;
  return {
    producer: 'Trainyard',
    model: modelOf(manifest),
    version: String(version),
    createdAt,
    network: JSON.stringify(network),
    labels: JSON.stringify(labels),
    input: manifest.input,
    normalisation: form, // how a picture becomes an input
    ...(normalisationVersion !== undefined && { normalisationVersion: String(normalisationVersion) }),
    temperature: String(temperatureOf(manifest)),
    calibration: JSON.stringify(calibration ?? null),
    provenance: JSON.stringify(provenanceOf(manifest)),
    weightsSha256: manifest.files['weights.bin'].sha256,
    manifestSha256: manifest.sha256,
  };
}

/** The logits are divided by it before the softmax; 1 for a version without calibration. */
export function temperatureOf({ calibration }: Pick<Manifest, 'calibration'>): number {
  return calibration?.temperature ?? 1;
}

function provenanceOf({
  jobId,
  epoch,
  epochs,
  recipe,
  seed,
  request,
  dataset,
  engine,
  gitCommit,
  metrics,
}: Manifest) {
  return { jobId, epoch, epochs, recipe, seed, request, dataset, engine, gitCommit, metrics };
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../../src/model/network/network.ts';
import { type ManifestContent, openManifest, sealManifest } from '../../../src/model/store/manifest.ts';
import { provenance } from './provenance.ts';

const checksum = { sha256: '0'.repeat(64), bytes: 1 };
const content: ManifestContent = {
  format: 1,
  ...provenance,
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  network: {
    ...buildNetwork('article', 10),
    name: 'article',
    layers: [...buildNetwork('article', 10).layers],
  },
  parameters: 121_514,
  input: 'float32 – grey',
  files: { 'model.json': checksum, 'weights.bin': checksum },
};

describe('a sealed manifest', () => {
  it('opens to what was sealed, whatever the request was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (request) => {
        const { manifest, bytes } = sealManifest({ ...content, request });
        const opened = openManifest(bytes);
        expect(opened).toMatchObject({ ok: true });
        expect(JSON.stringify(opened.ok && opened.manifest.request)).toBe(JSON.stringify(manifest.request));
      }),
      { examples: [[JSON.parse('{"__proto__":{}}') as Record<string, fc.JsonValue>]] },
    );
  });

  it('opens with a checksum of an evaluation, and as older ones are, without', () => {
    const files = { ...content.files, 'evaluation.json': { sha256: 'f'.repeat(64), bytes: 2 } };
    for (const given of [files, content.files]) {
      const { bytes } = sealManifest({ ...content, files: given });
      expect(openManifest(bytes)).toMatchObject({ ok: true, manifest: { files: given } });
    }
  });

  it('opens with the version of the normalisation, and as older ones are, without', () => {
    for (const more of [{ normalisationVersion: 1 }, {}]) {
      const opened = openManifest(sealManifest({ ...content, ...more }).bytes);
      expect(opened).toMatchObject({ ok: true, manifest: more });
      expect('normalisationVersion' in (opened.ok ? opened.manifest : {})).toBe(
        'normalisationVersion' in more,
      );
    }
    const wrong = { ...content, normalisationVersion: 0 };
    expect(openManifest(sealManifest(wrong).bytes)).toMatchObject({ problem: 'unsupported' });
  });

  it('opens with no bit changed anywhere', () => {
    const { bytes } = sealManifest(content);
    for (const index of bytes.keys()) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[index]! ^= 1 << bit;
        expect(openManifest(changed)).toMatchObject({ ok: false, problem: 'damaged' });
      }
    }
  });

  it('opens with no byte changed to a blank, which JSON would not mind', () => {
    const { bytes } = sealManifest(content);
    for (const index of bytes.keys()) {
      for (const blank of Buffer.from(' \t\n\r')) {
        if (bytes[index] === blank) continue;
        const changed = Buffer.from(bytes);
        changed[index] = blank;
        expect(openManifest(changed)).toMatchObject({ ok: false, problem: 'damaged' });
      }
    }
  });

  it('opens with nothing cut off and nothing added', () => {
    const { bytes } = sealManifest(content);
    expect(openManifest(bytes.subarray(0, -1))).toMatchObject({ problem: 'damaged' });
    expect(openManifest(Buffer.concat([bytes, Buffer.from('\n')]))).toMatchObject({
      problem: 'damaged',
      reason: expect.stringContaining('another layout'),
    });
  });

  it('is not called damaged when it is only of a form that is not known', () => {
    const later = { ...content, format: 2 } as unknown as ManifestContent;
    expect(openManifest(sealManifest(later).bytes)).toMatchObject({
      problem: 'unsupported',
      reason: expect.stringContaining('format'),
    });
  });
});

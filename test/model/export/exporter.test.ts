import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ExportFormat, exportFormats, exportVersion } from '../../../src/model/export/export-version.ts';
import { createExporter, type ExportRequest } from '../../../src/model/export/exporter.ts';
import { publishedModel } from './exported.ts';

const unwanted = new AbortController().signal; // never aborts

it.each(exportFormats)('writes the same %s in a thread', async (format) => {
  const { manifest, weights } = await publishedModel('small');
  const { bytes, ...file } = await exportVersion({ manifest, weights }, format);
  const load = async () => ({ manifest, weights: weights.slice() });
  const written = await createExporter()({ load, format, unwanted });
  expect(written).toMatchObject(file);
  expect(Buffer.from(written!.bytes).equals(bytes)).toBe(true);
});

it('leaves the event loop free meanwhile', async () => {
  const layers = [
    { kind: 'dense' as const, units: 1900 },
    { kind: 'dense' as const, units: 250 },
  ];
  const model = await publishedModel({ layers });
  let turns = 0;
  const exporting = createExporter()({ load: async () => model, format: 'onnx', unwanted })!.then(
    () => 'done',
  );
  // In this process, the file would be written in one turn of the loop.
  while ((await Promise.race([exporting, nextTurn()])) !== 'done') turns++;
  expect(turns).toBeGreaterThan(10);
});

it('has one model at a time, and goes on after a failure', async () => {
  const exporter = createExporter();
  const exportFile = (load: ExportRequest['load'], format: ExportFormat) =>
    exporter({ load, format, unwanted })!;
  const model = await publishedModel('small');
  let loaded = 0;
  const load = async () => {
    loaded++;
    return { ...model, weights: model.weights.slice() };
  };
  const missing = () => Promise.reject(new Error('expected a version, found none'));
  const first = exportFile(load, 'safetensors');
  const second = exportFile(load, 'onnx').then(() => loaded);
  const third = exportFile(missing, 'onnx').catch((error: Error) => error.message);
  const fourth = exportFile(load, 'pickle' as ExportFormat).catch((error: Error) => error.name);
  const fifth = exportFile(load, 'card');
  await first;
  expect(loaded).toBe(1);
  expect([await second, await third, await fourth]).toEqual([
    2,
    'expected a version, found none',
    'TypeError',
  ]);
  expect((await fifth).name).toMatch(/\.md$/);
});

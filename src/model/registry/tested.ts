/** The test results of a version, by which the registry compares champions. */
import { testSetId } from '../data/test-set.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Tested } from './transitions.ts';

/** Manifests from before the registry lack `test`; it follows from the request and the data set. */
export function testedOf({ test, metrics, dataset, request }: Manifest): Tested {
  const accuracy = metrics.testAccuracy;
  if (test) return { ...test, accuracy };
  const [images = '', labels = ''] = Object.values(dataset.sha256).slice(-2); // the test split comes last
  const { testImages } = request;
  return {
    set: testSetId(images, labels),
    images: typeof testImages === 'number' ? testImages : 10_000,
    accuracy,
  };
}

/**
 * The part of the address that names the view: `#draw`, `#draw/model/MODEL`, `#draw/model/MODEL/dataset/NAME/test/INDEX`,
 * `#train`, `#train/JOB`, `#train/dataset/NAME`, `#datasets`, `#datasets/NAME`, `#review`, `#models`, `#models/VERSION`, `#models/VERSION/with/VERSION`.
 */
import { type ReadonlySignal, signal } from '@preact/signals';

export const views = ['draw', 'train', 'models', 'datasets', 'review'] as const;
export type View = (typeof views)[number];
export type Route = { readonly view: View; readonly rest: readonly string[] };

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#/, '').split('/').map(decode);
  return { view: views.find((known) => known === view) ?? 'draw', rest };
}

/** `['model', 'letters', 'test', '3']` → `{ model: 'letters', test: '3' }` */
export function pairsOf({ rest }: Route): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (let i = 0; i + 1 < rest.length; i += 2) pairs[rest[i]!] = rest[i + 1]!;
  return pairs;
}

/** The address of a test image in the view Draw, where `model` reads it. */
export function testImageHash(model: string, dataset: string, index: number): string {
  return `#draw/model/${encodeURIComponent(model)}/dataset/${encodeURIComponent(dataset)}/test/${index}`;
}

/** Follows the address for as long as the page is open; calls `changed` for each new view. */
export function followRoute(changed: (view: View) => void): ReadonlySignal<Route> {
  const route = signal(parseRoute(location.hash));
  addEventListener('hashchange', () => {
    const before = route.value.view;
    route.value = parseRoute(location.hash);
    if (route.value.view !== before) changed(route.value.view);
  });
  return route;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand
  }
}

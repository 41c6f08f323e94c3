/** A view whose code is fetched when it is first opened. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { reportLoss, returns } from './api/connection.ts';

export function Lazy({ load }: { load: () => Promise<ComponentType> }) {
  const [View, setView] = useState<ComponentType | null>(null);
  useEffect(() => {
    load().then((loaded) => setView(() => loaded), reportLoss);
  }, [returns.value]);
  return View ? <View /> : <div class="view is-loading" aria-busy="true" />;
}

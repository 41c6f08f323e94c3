/** A view whose code is loaded when it is first opened. */
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from './app-context.ts';

export function Lazy({ load }: { load: () => Promise<ComponentType> }) {
  const [View, setView] = useState<ComponentType | null>(null);
  const [isLost, setLost] = useState(false);
  const failures = useRef(0);
  const { reloads, reportLoss } = useApp().api;
  useEffect(() => {
    const fail = () => {
      failures.current++;
      if (failures.current === 1)
        reportLoss(); // loaded again when the server answers
      else setLost(true); // the server answers but lacks this file: it has a newer page
    };
    if (!View) load().then((loaded) => setView(() => loaded), fail);
  }, [reloads.value]);
  if (isLost) return <Reload />;
  return View ? <View /> : <div class="view is-loading" aria-busy="true" />;
}

function Reload() {
  return (
    <div class="panel" role="alert">
      <p>This part of the page could not be loaded; the server may have a newer page.</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

/** A view whose code is fetched when it is first opened. */
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { reportLoss, returns } from './api/connection.ts';

export function Lazy({ load }: { load: () => Promise<ComponentType> }) {
  const [View, setView] = useState<ComponentType | null>(null);
  const [isLost, setLost] = useState(false);
  const failures = useRef(0);
  useEffect(() => {
    const fail = () => {
      failures.current++;
      if (failures.current === 1)
        reportLoss(); // tried again when the server answers
      else setLost(true); // it answers, and without this file: there is a newer page
    };
    if (!View) load().then((loaded) => setView(() => loaded), fail);
  }, [returns.value]);
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

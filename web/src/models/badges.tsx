import type { Model } from '../../../src/client/index.ts';
import { championAlias } from './registry.ts';

/** The aliases that point to a version; the champion that answers is `serving`. */
export function Badges({ model: { aliases, served } }: { model: Pick<Model, 'aliases' | 'served'> }) {
  const others = aliases.filter((alias) => !(served && alias === championAlias));
  return (
    <>
      {served && <span class="badge">serving</span>}
      {others.map((alias) => (
        <span key={alias} class="badge is-alias">
          {alias}
        </span>
      ))}
    </>
  );
}

/** The aliases that point to a version, each with its share of the traffic; the champion that answers is `serving`. */
import type { Model } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { championAlias, createRegistry } from './registry.ts';

type Props = { model: Pick<Model, 'model' | 'aliases' | 'served'> };

export function Badges({ model: { model, aliases, served } }: Props) {
  const registered = useStore(createRegistry).models.value.find(({ name }) => name === model);
  const others = aliases.filter((alias) => !(served && alias === championAlias));
  const shareOf = (alias: string) => {
    const share = registered?.traffic?.[alias];
    return share === undefined ? '' : ` ${share}\u202f%`;
  };
  return (
    <>
      {served && <span class="badge">serving{shareOf(championAlias)}</span>}
      {others.map((alias) => (
        <span key={alias} class="badge is-alias">
          {alias}
          {shareOf(alias)}
        </span>
      ))}
    </>
  );
}

/** One version: its provenance, and its mistakes or a comparison with another version. */
import type { Model } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { count, loss, percent, shortId, shortSha256 } from '../ui/format.ts';
import { Badges } from './badges.tsx';
import { ChangeChampion } from './change-champion.tsx';
import { Mistakes } from './mistakes.tsx';
import { createRegistry } from './registry.ts';
import { SideBySide } from './side-by-side.tsx';

type Props = {
  model: Model;
  others: readonly Model[]; // that it can be compared with
  other: number | null; // that it is compared with
};

export function ModelDetail({ model, others, other }: Props) {
  const { version } = model;
  return (
    <div class="model-detail">
      <section class="panel" aria-labelledby="model-title">
        <div class="model-head">
          <h2 id="model-title">
            Version {version}
            <Badges model={model} />
          </h2>
          <ChangeChampion model={model} />
        </div>
        <Provenance model={model} />
        <OtherVersion {...{ version, others, other }} />
      </section>
      {other === null ? <Mistakes model={model} /> : <SideBySide key={other} model={model} other={other} />}
    </div>
  );
}

type OtherProps = Omit<Props, 'model'> & { version: number };

/** Chooses the version to compare with; the address names both. */
function OtherVersion({ version, others, other }: OtherProps) {
  const isListed = other === null || others.some((each) => each.version === other);
  return (
    <div class="field model-other">
      <label for="other-version">Compare with</label>
      <select
        id="other-version"
        value={other ?? ''}
        onChange={({ currentTarget: { value } }) => {
          location.hash = value === '' ? `#models/${version}` : `#models/${version}/with/${value}`;
        }}
      >
        <option value="">no other version</option>
        {!isListed && <option value={other}>version {other}</option>}
        {others.map((each) => (
          <option key={each.version} value={each.version}>
            version {each.version}, {percent(each.metrics.testAccuracy, 2)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The name, and for imported pictures, which a later set of that name may not have, their SHA-256. */
function DatasetName({ name, sha256 }: Model['dataset']) {
  const pictures = sha256['pictures.bin'];
  if (pictures === undefined) return name;
  return (
    <>
      {name}, <code title={`SHA-256 ${pictures}`}>{shortSha256(pictures)}</code>
    </>
  );
}

function Provenance({ model }: { model: Model }) {
  const { metrics, epoch, epochs, dataset, recipe, jobId, seed, engine, parameters, gitCommit } = model;
  const isOneOfSeveral = useStore(createRegistry).models.value.length > 1;
  const facts: [string, preact.ComponentChildren][] = [
    ...(isOneOfSeveral ? [['Model', model.model] as [string, string]] : []),
    ['Test accuracy', percent(metrics.testAccuracy, 2)],
    ['Test loss', loss(metrics.testLoss)],
    ['Training loss', loss(metrics.trainLoss)],
    ['Data set', <DatasetName {...dataset} />],
    ['Recipe', recipe],
    ['Epoch', `${epoch} of ${epochs}`],
    ['Job', <a href={`#train/${jobId}`}>{shortId(jobId)}</a>],
    ['Seed', seed],
    ['Parameters', count(parameters)],
    ['Commit', gitCommit ? <code>{gitCommit.slice(0, 10)}</code> : 'not known'],
    ['Trained on', engine.device],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

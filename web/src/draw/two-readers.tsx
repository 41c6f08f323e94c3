/** The drawing as two versions read it, side by side. The parts are there before the answers, so that nothing moves. */
import { useEffect } from 'preact/hooks';
import type { Model } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { percent } from '../ui/format.ts';
import { Bars, BigLabel, predictionIn, Spoken } from './bars.tsx';
import { createChosenModel } from './chosen-model.ts';
import type { Reading } from './reader.ts';
import { createSecondReader } from './second-reader.ts';
import { sureness } from './verdict.ts';
import { readVersions } from './versions.ts';

export function TwoReaders({ first }: { first: Reading }) {
  const { reading, version } = useStore(createSecondReader);
  const second = reading.value;
  const by = predictionIn(first)?.model;
  return (
    <div class="readers">
      <div role="group" aria-label={by ? `Version ${by.version}` : 'The version that answers'}>
        <p class="reader-name">
          version {by?.version ?? '–'}
          <span class="quiet">{by?.alias && `, ${by.alias}`}</span>
        </p>
        <Answered now={first} />
      </div>
      <div role="group" aria-label="Second version">
        <VersionSelect />
        <Answered now={second} />
        <Spoken now={second} reader={`Version ${version.value ?? '–'}`} />
      </div>
    </div>
  );
}

function Answered({ now }: { now: Reading }) {
  const prediction = predictionIn(now);
  return (
    <>
      <p class="reader-answer" aria-hidden="true">
        <BigLabel prediction={prediction} />
        <span class="quiet">{prediction ? sureness(prediction) : 'No answer yet'}</span>
      </p>
      <Bars prediction={prediction} />
    </>
  );
}

/** At first the newest version of the model that does not answer anyway. */
function VersionSelect() {
  const { api } = useApp();
  const { version, choose } = useStore(createSecondReader);
  const model = useStore(createChosenModel).known.value?.name;
  const { data } = useAnswer((signal) => readVersions(api, model, signal), [model]);
  const chosen = version.value;
  const groups = data ?? [];
  useEffect(() => {
    const [own = []] = groups;
    const other = own.find(({ served }) => !served) ?? own[0];
    if (chosen === null && other) choose(other.version);
  }, [data, chosen]);
  return (
    <div class="field">
      <select
        aria-label="Second version"
        value={chosen ?? ''}
        onChange={({ currentTarget: { value } }) => choose(Number(value))}
      >
        {chosen === null && <option value="">version –</option>}
        {chosen !== null && !groups.flat().some((each) => each.version === chosen) && (
          <option value={chosen}>version {chosen}</option>
        )}
        {groups.length > 1
          ? groups.map((models) => (
              <optgroup key={models[0]!.model} label={models[0]!.model}>
                <Options models={models} />
              </optgroup>
            ))
          : groups.map((models) => <Options key={models[0]!.model} models={models} />)}
      </select>
    </div>
  );
}

function Options({ models }: { models: readonly Model[] }) {
  return (
    <>
      {models.map((model) => (
        <option key={model.version} value={model.version}>
          {nameOf(model)}
        </option>
      ))}
    </>
  );
}

function nameOf({ version, served, metrics }: Model): string {
  return `version ${version}, ${percent(metrics.testAccuracy, 2)}${served ? ', serving' : ''}`;
}

/** The drawing as two versions read it, side by side. The parts are there before the answers, so that nothing moves. */
import { useEffect } from 'preact/hooks';
import type { Model } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { percent } from '../ui/format.ts';
import { Bars, predictionIn, Spoken } from './bars.tsx';
import type { Reading } from './reader.ts';
import { createSecondReader } from './second-reader.ts';
import { sureness } from './verdict.ts';

const mostListed = 100; // the largest `limit` of GET /models

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
        <strong>{prediction?.label ?? '?'}</strong>
        <span class="quiet">{prediction ? sureness(prediction) : 'No answer yet'}</span>
      </p>
      <Bars prediction={prediction} />
    </>
  );
}

/** At first the newest version that does not answer anyway. */
function VersionSelect() {
  const { client, ask } = useApp().api;
  const { version, choose } = useStore(createSecondReader);
  const { data } = useAnswer(
    (signal) => ask(client.GET('/models', { params: { query: { limit: mostListed } }, signal })),
    [],
  );
  const models = data?.data ?? [];
  const chosen = version.value;
  useEffect(() => {
    const other = models.find(({ served }) => !served) ?? models[0];
    if (chosen === null && other) choose(other.version);
  }, [data]);
  return (
    <div class="field">
      <select
        aria-label="Second version"
        value={chosen ?? ''}
        onChange={({ currentTarget: { value } }) => choose(Number(value))}
      >
        {chosen === null && <option value="">version –</option>}
        {chosen !== null && !models.some((each) => each.version === chosen) && (
          <option value={chosen}>version {chosen}</option>
        )}
        {models.map((model) => (
          <option key={model.version} value={model.version}>
            {nameOf(model)}
          </option>
        ))}
      </select>
    </div>
  );
}

function nameOf({ version, served, metrics }: Model): string {
  return `version ${version}, ${percent(metrics.testAccuracy, 2)}${served ? ', serving' : ''}`;
}

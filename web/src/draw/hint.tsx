/** Says why there is no answer, or what to know about the one there is. The line is always there, so that nothing moves. */
import type { Prediction } from '../../../src/client/index.ts';
import { sentence } from '../ui/sentence.ts';
import type { Reading } from './reader.ts';

export function Hint({ now }: { now: Reading }) {
  const problem = now.state === 'problem' ? now.problem : null;
  const prediction = now.state === 'read' ? now.prediction : null;
  return (
    <p class="answer-hint" role="status">
      {problem && <HintText code={problem.code} detail={problem.detail} />}
      {prediction && caveatsOf(prediction)}
    </p>
  );
}

function caveatsOf({ verdict, warnings, digit }: Prediction): string {
  const all = warnings.map(({ message }) => `${sentence(message)} `);
  const kind = digit === undefined ? 'labels' : 'digits';
  return `${verdict === 'unknown' ? `This looks like none of the ${kind}. ` : ''}${all.join('')}`;
}

function HintText({ code, detail }: { code: string; detail: string }) {
  switch (code) {
    case 'NO_MODEL':
      return (
        <>
          There is no model yet. The answer comes as soon as the first one is trained:{' '}
          <a href="#train">start or watch one</a>.
        </>
      );
    case 'IMAGE_NO_INK':
      return <>Nothing stands out from the background yet. Draw a little more, or with more contrast.</>;
    case 'SERVER_UNREACHABLE':
    case 'SERVER_SILENT':
      return <>The drawing is kept and will be read when the server is back.</>;
    case 'OVERLOADED':
    case 'MODEL_NOT_LOADED_YET':
    case 'PREDICTOR_RESTARTED':
    case 'PREDICT_TIMEOUT':
      return <>The network is busy; trying again.</>;
    default:
      return (
        <>
          {sentence(detail)} <code>{code}</code>
        </>
      );
  }
}

/** A reliability diagram: how often answers are right, by how sure they are. On the diagonal, they are as sure as they are right. */
import type { Evaluation } from '../../../src/client/index.ts';
import { count, percent } from '../ui/format.ts';

type Diagram = NonNullable<Evaluation['reliability']>;

const side = 150; // units of the drawing

export function Reliability({ reliability }: { reliability: Diagram }) {
  const { bins, ece, nll } = reliability;
  const step = side / bins.length;
  return (
    <section class="panel" aria-labelledby="reliability-title">
      <h2 id="reliability-title">Confidence</h2>
      <div class="reliability">
        <svg
          viewBox={`-1 -1 ${side + 2} ${side + 2}`}
          role="img"
          aria-label={`Accuracy by confidence; off by ${percent(ece, 2)} on average`}
        >
          <path class="reliability-diagonal" d={`M0 ${side}L${side} 0`} />
          {bins.map(
            ({ images, accuracy, confidence }, i) =>
              images > 0 && (
                <rect
                  key={i}
                  x={i * step + 1}
                  y={side * (1 - accuracy)}
                  width={step - 2}
                  height={Math.max(1, side * accuracy)}
                >
                  <title>{`${percent(confidence)} sure: ${percent(accuracy)} right of ${count(images)}`}</title>
                </rect>
              ),
          )}
          <path class="reliability-axis" d={`M0 0V${side}H${side}`} />
        </svg>
        <dl class="facts">
          <div>
            <dt>Calibration error</dt>
            <dd>{percent(ece, 2)}</dd>
          </div>
          <div>
            <dt>Mean log loss</dt>
            <dd>{nll.toFixed(4)}</dd>
          </div>
        </dl>
      </div>
      <p class="quiet">
        How often an answer is right (upwards) by how sure it is (to the right), on the test images. On the
        line, a model is as sure as it is right.
      </p>
    </section>
  );
}

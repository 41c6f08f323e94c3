/** What a predictor tells before anybody listens: the server loads while its predictor starts. */
import type { PredictorEvents } from './predictor.ts';

/**
 * Events for a predictor that is started before anybody can listen: they are kept until `listen` is called, which hears
 * them first.
 */
export function keepEvents(): Required<PredictorEvents> & {
  readonly listen: (events: Required<PredictorEvents>) => void;
} {
  let listener: Required<PredictorEvents> | null = null;
  const kept: ((events: Required<PredictorEvents>) => void)[] = [];
  const tell = (event: (events: Required<PredictorEvents>) => void) =>
    listener === null ? void kept.push(event) : event(listener);
  return {
    onMessage: (message) => tell((events) => events.onMessage(message)),
    onExit: (how) => tell((events) => events.onExit(how)),
    listen: (events) => {
      listener = events;
      for (const event of kept.splice(0)) event(events);
    },
  };
}

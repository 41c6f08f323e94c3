/** A request and what it is answered, as /docs shows it and as the tests carry it out. */
import type { Problem } from '../http/problem.ts';

export type Exchange = {
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, string>>; // by name, wherever they go
  readonly body?: Body;
  readonly status: number;
  readonly type?: string; // of the answer, unless it is JSON or a problem
  /** The tests expect a problem word for word, and of other answers the form. */
  readonly answer: unknown;
};

type Body =
  | { readonly type: 'application/json'; readonly value: unknown }
  | { readonly type: 'image/png'; readonly at: string } // bytes can't be shown: the path that gives them
  | { readonly type: 'application/zip'; readonly base64: string; readonly shown: string };

export const json = (value: unknown): Body => ({ type: 'application/json', value });

/** What an example of a picture points at: the first test image, a seven. */
export const picture = '/datasets/mnist/test/0.png';
/** The same in base64. */
export const firstTestImage =
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAqklEQVQokWNgGG4gZOf86TYqOCTv/fv379/HY1CwygRF0rnIo2jx438P//379+vpv389mNoFnficnZ2tRd/8y8Jpf/Dfi0K45MRe/g/GqbHx3zsdXHLWP//Z4dTY+m83Ky45zrM/rHBqrPu3Daec9+8PlrjkhO/+W4ZLjvn0v9vKuCTV/v3zxSUn/+BfMSMuydZ//1DjCgnYfsIjWfnv320N3JLncUYVFgAA6EVIFz2pGf4AAAAASUVORK5CYII=';

/** The bytes of a whole stream of events. */
export function eventStream(events: readonly { readonly type: string }[]): string {
  const texts = events.map(
    (event, index) => `id: ${index + 1}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  );
  return `retry: 1000\n\n${texts.join('')}`;
}

type ProblemExample = Pick<Problem, 'status' | 'code' | 'detail' | 'instance' | 'errors'> & { title: string };

export function problem(content: ProblemExample): Problem {
  return { type: 'about:blank', ...content };
}

/** A request with one field that is not as it should be. */
export function invalid(
  instance: string,
  context: 'body' | 'querystring' | 'params',
  field: string,
  message: string,
): Problem {
  const detail = `in the request's ${context}: ${field}: ${message}`;
  const [status, code, title] = [400, 'VALIDATION_FAILED', 'Bad Request'];
  return problem({ title, status, code, detail, instance, errors: [{ field, message }] });
}

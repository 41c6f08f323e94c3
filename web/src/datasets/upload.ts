/** Sends an archive with POST /datasets. `fetch` can't say how far an upload has come; XMLHttpRequest can. */
import type { Dataset } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { Outcome, Problem } from '../api/outcome.ts';

export type Wish = {
  readonly file: File;
  readonly name: string;
  readonly form: 'auto' | 'ink' | 'picture';
  readonly testShare: string; // as typed; the server says what it can't be
  readonly seed: string;
};

/** @param onSent called with the share of the archive that was sent, 0 to 1 */
export async function upload(
  { baseUrl, key, reportLoss }: Pick<Api, 'baseUrl' | 'key' | 'reportLoss'>,
  { file, ...query }: Wish,
  onSent: (share: number) => void,
  ended: AbortSignal,
): Promise<Outcome<Dataset>> {
  const url = `${baseUrl}/datasets?${new URLSearchParams(query).toString()}`;
  for (;;) {
    const sentKey = key.current();
    const { status, text } = await send(url, { file, key: sentKey }, onSent, ended);
    if (status === 401) await key.untilAnother(sentKey, ended);
    else if (ended.aborted) return { ok: false, problem: problemOf('ABORTED', 'the upload was cancelled') };
    else if (status === 202) return { ok: true, data: JSON.parse(text) as Dataset };
    else {
      if (status === 0) reportLoss();
      return { ok: false, problem: refusalOf(text) };
    }
  }
}

type Sent = { readonly file: File; readonly key: string | null };

/** Status 0: no answer. */
function send(
  url: string,
  { file, key }: Sent,
  onSent: (share: number) => void,
  ended: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open('POST', url);
    if (key !== null) request.setRequestHeader('authorization', `Bearer ${key}`);
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      onSent(total > 0 ? loaded / total : 0),
    );
    request.addEventListener('loadend', () => {
      ended.removeEventListener('abort', abort);
      resolve({ status: request.status, text: request.responseText });
    });
    ended.addEventListener('abort', abort);
    if (ended.aborted) resolve({ status: 0, text: '' });
    else request.send(archiveForm(file));
  });
}

/** A form, since that has the file's name, too. */
function archiveForm(file: File): FormData {
  const form = new FormData();
  form.append('archive', file);
  return form;
}

function refusalOf(text: string): Problem {
  try {
    return { ...(JSON.parse(text) as Problem), retryAfterSeconds: null };
  } catch {
    return problemOf(
      'UPLOAD_FAILED',
      'the upload broke off; look whether the server is there, and send it again',
    );
  }
}

function problemOf(code: string, detail: string): Problem {
  const about = { type: 'about:blank', title: 'Error', status: 0, instance: '' } as const;
  return { ...about, code, detail, retryAfterSeconds: null };
}

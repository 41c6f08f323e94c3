/** Multipart bodies (RFC 7578) of files and texts, as clients send them. */

export type FormPart = {
  readonly name?: string;
  readonly filename?: string | null; // null: without
  readonly type?: string | null;
  readonly body?: Buffer;
  readonly text?: string; // in place of a file
};

const boundary = 'trainyard-test-boundary';

/** Files as browsers send them, where a part does not say otherwise. */
export function form(parts: readonly FormPart[]): { payload: Buffer; type: string } {
  const lines = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n`),
    part.body ?? Buffer.from(part.text ?? ''),
    Buffer.from('\r\n'),
  ]);
  const payload = Buffer.concat([...lines, Buffer.from(`--${boundary}--\r\n`)]);
  return { payload, type: `multipart/form-data; boundary=${boundary}` };
}

function headOf({ name = 'image', filename, type, text }: FormPart): string {
  const isText = text !== undefined;
  const shownName = filename === undefined ? (isText ? null : 'a.png') : filename;
  const shownType = type === undefined ? (isText ? null : 'image/png') : type;
  const ofFile = shownName === null ? '' : `; filename="${shownName}"`;
  const ofType = shownType === null ? '' : `Content-Type: ${shownType}\r\n`;
  return `Content-Disposition: form-data; name="${name}"${ofFile}\r\n${ofType}`;
}

/** What a reader of an answer should know about its picture. */

export const mostCharacters = 60; // of a line

export const warningCodes = [
  'SEVERAL_SHAPES',
  'FRAME_REMOVED',
  'RULES_REMOVED',
  'TOUCHES_EDGE',
  'LOW_CONTRAST',
  'LOW_RESOLUTION',
  'SEVERAL_LINES',
  'TOO_MANY_CHARACTERS',
] as const;
export type WarningCode = (typeof warningCodes)[number];

export type Warning = { readonly code: WarningCode; readonly message: string };

const messages: Readonly<Record<WarningCode, string>> = {
  SEVERAL_SHAPES:
    'expected one character, saw several; the largest one was read: send one at a time, or read them as a line',
  FRAME_REMOVED: 'a printed box or frame around the character was taken away before reading',
  RULES_REMOVED: 'ruled lines, an underline or a crease of the paper were taken away before reading',
  TOUCHES_EDGE:
    "ink touches the picture's edge, so a part may be cut off; leave a margin around the character",
  LOW_CONTRAST: 'the ink is hardly stronger than the noise of the picture; use a darker pen or more light',
  LOW_RESOLUTION: 'the character is only a few pixels high; send a larger picture of it',
  SEVERAL_LINES:
    'expected one line of characters, saw several, which were read as one from left to right: send each line as a picture of its own',
  TOO_MANY_CHARACTERS: `expected at most ${mostCharacters} characters, saw more; the first ${mostCharacters} from the left were read: send the rest as a picture of its own`,
};

export function warning(code: WarningCode): Warning {
  return { code, message: messages[code] };
}

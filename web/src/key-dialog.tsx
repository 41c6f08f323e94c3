/** Asks for the API key. It can't be put aside: without a key the API shows nothing. */
import { useEffect, useRef } from 'preact/hooks';
import { giveKey, keyDialog } from './api/key.ts';

export function KeyDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const shown = keyDialog.value;
  useEffect(() => {
    if (shown && !dialog.current!.open) dialog.current!.showModal();
    if (!shown) dialog.current!.close();
  }, [shown]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const text = input.current!.value.trim();
    input.current!.value = '';
    if (text) giveKey(text);
  };
  return (
    <dialog
      ref={dialog}
      class="key-dialog"
      aria-labelledby="key-title"
      onCancel={(event) => event.preventDefault()}
    >
      <form onSubmit={submit}>
        <h2 id="key-title">Sign in</h2>
        <p>This server answers those who have a key. It is kept in this tab until you close it.</p>
        <label for="key">API key</label>
        <input
          ref={input}
          id="key"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="key-word"
        />
        <p id="key-word" class="field-problem" role="alert">
          {shown?.wasRefused && 'The server does not take that key. Look for another one in its API_KEY.'}
        </p>
        <button type="submit" class="button is-main">
          Use this key
        </button>
      </form>
    </dialog>
  );
}

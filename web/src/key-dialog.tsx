/** Asks for the API key. It can't be dismissed: without a key the API answers nothing. */
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from './app-context.ts';

export function KeyDialog() {
  const { key } = useApp().api;
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const shown = key.dialog.value;
  useEffect(() => {
    if (shown && !dialog.current!.open) dialog.current!.showModal();
    if (!shown) dialog.current!.close();
  }, [shown]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const text = input.current!.value.trim();
    input.current!.value = '';
    if (text) key.enter(text);
  };
  return (
    <dialog
      ref={dialog}
      class="dialog"
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

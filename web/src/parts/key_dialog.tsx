import { useEffect, useRef, useState } from 'preact/hooks';
import { apiKey } from '../api/client';

let open: ((done?: () => void) => void) | undefined;

/** Opens the dialog for an API key; `done` is called once one was entered. */
export const askForKey = (done?: () => void): void => open?.(done);

/** One for the whole page. The key is kept by the tab alone and sent to this service alone. */
export function KeyDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [key, setKey] = useState('');
  const done = useRef<() => void>();
  useEffect(() => {
    open = (after) => {
      done.current = after;
      setKey(apiKey.get());
      dialog.current?.showModal();
    };
    return () => {
      open = undefined;
    };
  }, []);
  const close = (): void => dialog.current?.close();
  const submit = (event: Event): void => {
    event.preventDefault();
    apiKey.set(key.trim());
    close();
    done.current?.();
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="key-title">
      <form onSubmit={submit}>
        <h2 id="key-title">API key</h2>
        <p>The service answers only those who have a key. It is forgotten when this tab closes.</p>
        <label class="field">
          <span>Key</span>
          <input type="password" autocomplete="off" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
        </label>
        <p class="actions">
          <button type="submit" class="primary">
            Use this key
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </dialog>
  );
}

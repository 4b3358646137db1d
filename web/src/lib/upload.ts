import { useCallback, useRef, useState } from 'preact/hooks';
import { api, asProblem, wasAborted, type Problem } from '../api/client';
import { navigate } from './hooks';
import { parseRoute, searchHash, searchState } from './route';

export interface Upload {
  /** The picture that was asked with last, and its code once known. */
  picture?: Blob;
  code?: string;
  busy: boolean;
  problem?: Problem;
  submit: (picture: Blob) => void;
  dismiss: () => void;
}

/** Turns a picture into a code, and goes to the search for it. The code is in the address; the picture stays on this page. */
export function useUpload(): Upload {
  const [state, setState] = useState<{ picture?: Blob; code?: string; busy: boolean; problem?: Problem }>({ busy: false });
  const running = useRef<AbortController>();
  const submit = useCallback((picture: Blob) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((before) => ({ ...before, busy: true, problem: undefined }));
    api.encode(picture, controller.signal).then(
      ({ code }) => {
        setState({ picture, code, busy: false });
        const { view, params } = parseRoute(location.hash);
        // Other views mean something else by the same names.
        const { k, radius, labels } = searchState(view === 'search' ? params : new URLSearchParams());
        navigate(searchHash({ code, k, radius, labels }));
      },
      (error: unknown) => {
        if (wasAborted(error)) return;
        setState((before) => ({ ...before, busy: false, problem: asProblem(error) }));
        if (parseRoute(location.hash).view !== 'search') navigate('#/search');
      },
    );
  }, []);
  const dismiss = useCallback(() => setState((before) => ({ ...before, problem: undefined })), []);
  return { ...state, submit, dismiss };
}

/** The first picture among dragged or pasted things. Anything that is a file counts: the service judges what it is. */
export function fileOf(data: DataTransfer | null): File | undefined {
  const files = [...(data?.files ?? [])];
  return files.find((file) => file.type.startsWith('image/')) ?? files[0];
}

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, wasAborted, type Problem } from '../api/client';
import { hasModifier } from './keys';
import { parseRoute, type Route } from './route';

const listeners = new Set<() => void>();

/** Goes to a place of the page: a new entry of the history, or in place of the present one. */
export function navigate(hash: string, replace = false): void {
  if (replace) history.replaceState(null, '', hash);
  else history.pushState(null, '', hash);
  listeners.forEach((listener) => listener());
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const update = (): void => setHash(location.hash);
    listeners.add(update);
    window.addEventListener('hashchange', update);
    window.addEventListener('popstate', update);
    return () => {
      listeners.delete(update);
      window.removeEventListener('hashchange', update);
      window.removeEventListener('popstate', update);
    };
  }, []);
  return parseRoute(hash);
}

export interface Loaded<T> {
  value?: T;
  problem?: Problem;
  loading: boolean;
  retry: () => void;
}

interface RequestState<T> {
  value?: T;
  /** The name that `value` was asked for under. */
  of?: string;
  problem?: Problem;
  loading: boolean;
}

/**
 * Runs a request whenever `name` changes; the one before is given up. The last value stays until the next has come, so that the page
 * does not flicker; beside a problem it stays only if it answers the same question. A problem goes when something is asked again.
 * `name` undefined: nothing is asked.
 */
export function useRequest<T>(name: string | undefined, ask: (signal: AbortSignal) => Promise<T>, delay = 0): Loaded<T> {
  const [state, setState] = useState<RequestState<T>>({ loading: name !== undefined });
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (name === undefined) {
      setState({ loading: false });
      return;
    }
    const controller = new AbortController();
    const fail = (error: unknown): void =>
      setState(({ value, of }) => ({ ...(of === name && { value, of }), problem: asProblem(error), loading: false }));
    setState(({ value, of }) => ({ value, of, loading: true }));
    const timer = setTimeout(() => {
      latest.current(controller.signal).then(
        (value) => !controller.signal.aborted && setState({ value, of: name, loading: false }),
        (error: unknown) => !controller.signal.aborted && !wasAborted(error) && fail(error),
      );
    }, delay);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [name, attempt]);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  return { value: state.value, problem: state.problem, loading: state.loading, retry };
}

/** Width and height of an element's inside, in CSS pixels; zero until it is laid out. */
export function useSize(): [ref: (element: HTMLElement | null) => void, size: { width: number; height: number }] {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const observer = useRef<ResizeObserver>();
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.current.observe(element);
  }, []);
  return [ref, size];
}

/** Calls back whenever the page comes into sight again. */
export function useReturn(back: () => void): void {
  useEffect(() => {
    const listener = (): void => {
      if (document.visibilityState === 'visible') back();
    };
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  }, [back]);
}

/** Keys of the whole document, letters in lower case; ignored while somebody types, or holds a modifier. */
export function useKeys(handle: (key: string, event: KeyboardEvent) => void): void {
  const latest = useRef(handle);
  latest.current = handle;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (hasModifier(event) || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest('input, select, textarea, dialog')) return;
      latest.current(event.key.length === 1 ? event.key.toLowerCase() : event.key, event);
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
}

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Problem } from '../api/client';
import { askForKey } from './key_dialog';

/** What went wrong, in the service's own words, and what can be done now. */
export function ProblemBox({ problem, onRetry, onDismiss }: { problem: Problem; onRetry?: () => void; onDismiss?: () => void }) {
  const meta = [problem.status > 0 && `status ${problem.status}`, problem.requestId && `request ${problem.requestId}`].filter(Boolean).join(' · ');
  const box = useRef<HTMLDivElement>(null);
  // The box goes, and with it the button that was pressed: the focus moves to what is around it, not to the top of the document.
  const leaving = (act?: () => void) =>
    act &&
    ((): void => {
      const around = box.current?.closest<HTMLElement>('[tabindex]') ?? document.querySelector('main');
      around?.focus({ preventScroll: true });
      act();
    });
  const [retry, dismiss] = [leaving(onRetry), leaving(onDismiss)];
  return (
    <div class="problem" role="alert" ref={box}>
      <h2>{problem.title}</h2>
      {problem.detail && <p>{problem.detail}</p>}
      {problem.retryAfter > 0 && <p>The service asks to wait {problem.retryAfter} s.</p>}
      <p class="actions">
        {problem.wantsKey && (
          <button type="button" class="primary" onClick={() => askForKey(retry)}>
            Enter a key
          </button>
        )}
        {retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
        {dismiss && (
          <button type="button" onClick={dismiss}>
            Dismiss
          </button>
        )}
      </p>
      {meta && <small>{meta}</small>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Tiles in the place of pictures that are under way. */
export function Skeleton({ count }: { count: number }) {
  return (
    <div class="hits" aria-hidden="true">
      {Array.from({ length: count }, (_, i) => (
        <div class="hit skeleton" key={i}>
          <div class="frame" />
          <div class="line" />
          <div class="line short" />
        </div>
      ))}
    </div>
  );
}

/** Read out by screen readers when it changes, and never seen. */
export function Announcement({ text }: { text: string }) {
  return (
    <p class="unseen" role="status" aria-live="polite">
      {text}
    </p>
  );
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { api, apiKey } from './api/client';
import type { Collection } from './api/types';
import { number } from './lib/format';
import { useRequest, useReturn, useRoute } from './lib/hooks';
import { reviewedLevels } from './lib/review';
import { routeHash, type Route, type View } from './lib/route';
import { useTheme } from './lib/theme';
import { fileOf, useUpload, type Upload } from './lib/upload';
import { askForKey, KeyDialog } from './parts/key_dialog';
import { ProblemBox } from './parts/states';
import { BrowseView } from './views/browse';
import { MapView } from './views/map';
import { ReviewView } from './views/review';
import { SearchView } from './views/search';

const kTitles: Record<View, string> = { search: 'Search', browse: 'Browse', map: 'Map', review: 'Duplicates' };

export function App() {
  const route = useRoute();
  const collection = useRequest('collection', api.collection);
  useReturn(collection.retry); // other programs add images too
  const upload = useUpload();
  const dragging = usePictures(upload.submit);
  const main = useRef<HTMLElement>(null);
  const info = collection.value;
  const problem = collection.problem && <ProblemBox problem={collection.problem} onRetry={collection.retry} />;
  useEffect(() => {
    document.title = info ? `${kTitles[route.view]} · ${info.name} · signet` : 'signet';
  }, [route.view, info]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Header route={route} info={info} onKey={collection.retry} />
      {info && problem && <div class="notice">{problem}</div>}
      <main ref={main} tabIndex={-1} class={`view-${route.view}`}>
        {info ? (
          <ViewOf route={route} info={info} upload={upload} onLookAgain={collection.retry} />
        ) : problem ? (
          <div class="centre">{problem}</div>
        ) : (
          <p class="centre soft" role="status">
            Opening the collection…
          </p>
        )}
      </main>
      <p class="toast" role="status">
        {upload.busy && 'Reading the picture…'}
      </p>
      {dragging && info?.can_encode && (
        <div class="drop-veil" aria-hidden="true">
          <p>Drop the picture to search with it</p>
        </div>
      )}
      <KeyDialog />
    </>
  );
}

function ViewOf({ route, info, upload, onLookAgain }: { route: Route; info: Collection; upload: Upload; onLookAgain: () => void }) {
  switch (route.view) {
    case 'browse':
      return <BrowseView info={info} params={route.params} />;
    case 'map':
      return <MapView info={info} />;
    case 'review':
      return <ReviewView info={info} params={route.params} />;
    default:
      return <SearchView info={info} params={route.params} upload={upload} onLookAgain={onLookAgain} />;
  }
}

function Header({ route, info, onKey }: { route: Route; info?: Collection; onKey: () => void }) {
  const [theme, flipTheme] = useTheme();
  const views = (['search', 'browse', 'map', 'review'] as View[]).filter((view) => view !== 'review' || (info && reviewedLevels(info).length > 0));
  return (
    <header class="top">
      <a class="wordmark" href="#/search">
        signet
      </a>
      {info && (
        <p class="facts">
          <b>{info.name}</b>
          <span>{number(info.images)} images</span>
          <span>{info.bits} bits</span>
        </p>
      )}
      <nav aria-label="Views">
        {views.map((view) => (
          <a href={routeHash(view)} key={view} aria-current={route.view === view ? 'page' : undefined}>
            {kTitles[view]}
          </a>
        ))}
      </nav>
      <div class="tools">
        <button type="button" class="icon" aria-label={apiKey.get() ? 'Change the API key' : 'Enter an API key'} title="API key" onClick={() => askForKey(onKey)}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <circle cx="7" cy="10" r="3.5" />
            <path d="M10.5 10H18M15 10v3.2" />
          </svg>
        </button>
        <button type="button" class="icon" aria-label={theme === 'dark' ? 'Use light colours' : 'Use dark colours'} title="Light or dark" onClick={flipTheme}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            {theme === 'dark' ? (
              <>
                <circle cx="10" cy="10" r="3.5" />
                <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.5 1.5M14.2 14.2l1.5 1.5M4.3 15.7l1.5-1.5M14.2 5.8l1.5-1.5" />
              </>
            ) : (
              <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.500 8.500z" />
            )}
          </svg>
        </button>
      </div>
    </header>
  );
}

/** Takes pictures that are dropped or pasted anywhere. Returns whether something is being dragged over the page. */
function usePictures(submit: (picture: Blob) => void): boolean {
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => [...(event.dataTransfer?.types ?? [])].includes('Files');
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent): void => {
      if (!event.relatedTarget) setDragging(false);
    };
    const drop = (event: DragEvent): void => {
      setDragging(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const file = fileOf(event.dataTransfer);
      if (file) submit(file);
    };
    const paste = (event: ClipboardEvent): void => {
      const file = fileOf(event.clipboardData);
      if (file) submit(file);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
      document.removeEventListener('paste', paste);
    };
  }, [submit]);
  return dragging;
}

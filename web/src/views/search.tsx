import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Collection, Hit, SearchAnswer, StoredImage } from '../api/types';
import { isCode } from '../lib/bits';
import { keyTail, milliseconds, number, plural } from '../lib/format';
import { navigate, useRequest } from '../lib/hooks';
import { kMostHits, searchHash, searchState, startFrom, type SearchState } from '../lib/route';
import type { Upload } from '../lib/upload';
import { BitBar } from '../parts/bitbar';
import { DrawDialog } from '../parts/draw';
import { moveInGrid } from '../parts/grid_keys';
import { LabelFilter } from '../parts/labels';
import { LocalPicture, Thumbnail } from '../parts/picture';
import { Samples } from '../parts/samples';
import { Slider } from '../parts/slider';
import { Announcement, Empty, ProblemBox, Skeleton } from '../parts/states';

interface Props {
  info: Collection;
  params: URLSearchParams;
  upload: Upload;
  /** Asks again what the collection holds. */
  onLookAgain: () => void;
}

export function SearchView({ info, params, upload, onLookAgain }: Props) {
  const state = searchState(params);
  const [drawing, setDrawing] = useState(false);
  const results = useRef<HTMLElement>(null);
  const query = state.code || state.key || (state.id ?? '');
  const before = useRef(query);
  useEffect(() => {
    // A new query, mostly by something that was clicked: what was focused may be gone, and what matters is at the top.
    if (before.current === query) return;
    before.current = query;
    if (!results.current) return;
    results.current.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }, [query]);
  return (
    <>
      {query !== '' ? (
        <Asked info={info} state={state} upload={upload} results={results} onDraw={() => setDrawing(true)} />
      ) : info.images === 0 ? (
        <EmptyCollection info={info} upload={upload} onLookAgain={onLookAgain} />
      ) : (
        <Invitation info={info} upload={upload} onDraw={() => setDrawing(true)} />
      )}
      {drawing && <DrawDialog onClose={() => setDrawing(false)} onPicture={upload.submit} />}
    </>
  );
}

function EmptyCollection({ info, upload, onLookAgain }: { info: Collection; upload: Upload; onLookAgain: () => void }) {
  return (
    <div class="centre">
      {upload.problem && <ProblemBox problem={upload.problem} onDismiss={upload.dismiss} />}
      <Empty title="This collection is empty">
        <p>
          Add pictures with <code>signet add PICTURES --collection {info.name}</code>; they appear here without a restart.
        </p>
        <p class="actions">
          <button type="button" onClick={onLookAgain}>
            Look again
          </button>
        </p>
      </Empty>
    </div>
  );
}

function Invitation({ info, upload, onDraw }: { info: Collection; upload: Upload; onDraw: () => void }) {
  return (
    <div class="invitation">
      <h1>Find what looks alike</h1>
      <p class="lede">
        Every picture here is a signature of {info.bits} bits. Show one, and see which of {number(info.images)} images differ in the fewest.
      </p>
      {upload.problem && <ProblemBox problem={upload.problem} onDismiss={upload.dismiss} />}
      {info.can_encode ? (
        <PicturePicker upload={upload} onDraw={onDraw} large />
      ) : (
        <p class="note">This service has no model, so it cannot turn a new picture into a code. Start from an image of the collection.</p>
      )}
      <Samples info={info} />
    </div>
  );
}

/** Open while a picture is being read too: the next one takes its place. */
function PicturePicker({ upload, onDraw, large = false }: { upload: Upload; onDraw: () => void; large?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class={large ? 'picker large' : 'picker'}>
      {large && <p>Drop or paste a picture anywhere on this page</p>}
      <p class="actions">
        <button type="button" class={large ? 'primary' : ''} onClick={() => input.current?.click()}>
          {large ? 'Choose a picture' : 'Other picture'}
        </button>
        <button type="button" onClick={onDraw}>
          Draw
        </button>
      </p>
      <input
        ref={input}
        class="unseen"
        type="file"
        accept="image/png,image/jpeg,image/webp,image/bmp,image/tiff"
        aria-label="Picture to search with"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) upload.submit(file);
        }}
      />
    </div>
  );
}

interface AskedProps {
  info: Collection;
  state: SearchState;
  upload: Upload;
  results: RefObject<HTMLElement>;
  onDraw: () => void;
}

function Asked({ info, state, upload, results, onDraw }: AskedProps) {
  const change = (part: Partial<SearchState>): void => navigate(searchHash({ ...state, ...part }), true);
  const answer = useRequest(
    JSON.stringify(state),
    (signal) =>
      api.search(
        {
          ...(state.code ? { code: state.code } : state.key ? { key: state.key } : { id: state.id }),
          k: state.k,
          limit: state.k,
          radius: state.radius,
          labels: state.labels.length ? state.labels : undefined,
        },
        signal,
      ),
    60,
  );
  const radius = Math.min(state.radius ?? info.bits, info.bits);
  return (
    <div class="asked">
      <h1 class="unseen">Search</h1>
      <aside class="panel" aria-label="Query">
        <QueryCard info={info} state={state} upload={upload} answer={answer.value} />
        {upload.problem && <ProblemBox problem={upload.problem} onDismiss={upload.dismiss} />}
        {info.can_encode && <PicturePicker upload={upload} onDraw={onDraw} />}
        <div class="controls">
          <Slider label="Most hits" value={state.k} least={1} most={kMostHits} text={String} onValue={(k) => change({ k })} />
          <Slider
            label="Radius"
            value={radius}
            least={0}
            most={info.bits}
            text={(value) => (value === info.bits ? 'any' : plural(value, 'bit'))}
            onValue={(value) => change({ radius: value === info.bits ? undefined : value })}
          />
          <LabelFilter labels={info.labels} chosen={state.labels} onChange={(labels) => change({ labels })} />
        </div>
      </aside>
      <section class="results" ref={results} tabIndex={-1} aria-label="Hits" aria-busy={answer.loading}>
        {answer.problem ? (
          <ProblemBox problem={answer.problem} onRetry={answer.retry} />
        ) : answer.value ? (
          <Hits info={info} state={state} answer={answer.value} stale={answer.loading} />
        ) : (
          <Skeleton count={Math.min(state.k, 12)} />
        )}
      </section>
    </div>
  );
}

function QueryCard({ info, state, upload, answer }: { info: Collection; state: SearchState; upload: Upload; answer?: SearchAnswer }) {
  const stored = useRequest(state.code ? undefined : JSON.stringify([state.key, state.id]), (signal) =>
    state.key ? api.image(state.key, signal) : api.imageById(state.id!, signal),
  );
  const code = state.code || answer?.query.code || '';
  const drawn = state.code !== '' && upload.code === state.code ? upload.picture : undefined;
  const isQuery = ({ id, key }: StoredImage): boolean => (state.key ? key === state.key : id === state.id);
  const image = !state.code && stored.value && isQuery(stored.value) ? stored.value : undefined;
  const name = drawn ? 'Your picture' : image ? keyTail(image.key, image.label) : state.code ? 'A code' : keyTail(state.key) || `image ${state.id}`;
  return (
    <div class="query">
      {(drawn || !state.code) && (
        <div class="frame">
          {drawn && <LocalPicture picture={drawn} alt="Your picture" />}
          {image && <Thumbnail id={image.id} size={256} alt={`Query ${name}`} />}
        </div>
      )}
      <div class="about">
        <p class="name" title={image?.key}>
          {name}
          {image?.label && <span class="label">{image.label}</span>}
        </p>
        {isCode(code, info.bits) && <BitBar code={code} bits={info.bits} />}
        {code && <p class="hex">{code}</p>}
      </div>
    </div>
  );
}

function Hits({ info, state, answer, stale }: { info: Collection; state: SearchState; answer: SearchAnswer; stale: boolean }) {
  const { hits, statistics } = answer;
  const [nearest, farthest] = [hits[0]?.distance, hits[hits.length - 1]?.distance];
  const summary =
    hits.length === 0 ? 'No hits' : `${plural(hits.length, 'hit')}, distance ${nearest === farthest ? nearest : `${nearest} to ${farthest}`}`;
  if (hits.length === 0) {
    return (
      <Empty title={state.radius !== undefined ? `Nothing within ${plural(state.radius, 'bit')}` : 'Nothing found'}>
        <p>
          {state.radius !== undefined && 'A larger radius looks further. '}
          {state.labels.length > 0 && 'The label filter leaves out the rest.'}
        </p>
        <p class="actions">
          {state.radius !== undefined && (
            <button type="button" onClick={() => navigate(searchHash({ ...state, radius: undefined }), true)}>
              Any distance
            </button>
          )}
          {state.labels.length > 0 && (
            <button type="button" onClick={() => navigate(searchHash({ ...state, labels: [] }), true)}>
              All labels
            </button>
          )}
        </p>
        <Announcement text={summary} />
      </Empty>
    );
  }
  const cost = [
    statistics?.milliseconds !== undefined && milliseconds(statistics.milliseconds),
    statistics?.candidates !== undefined && `${number(statistics.candidates)} codes compared`,
    statistics?.index,
    statistics?.kernel,
  ].filter(Boolean);
  return (
    <>
      <p class="summary">
        <span>{summary}</span> <small>{cost.join(' · ')}</small>
      </p>
      <Announcement text={summary} />
      <ul class={stale ? 'hits stale' : 'hits'} onKeyDown={moveInGrid}>
        {hits.map((hit) => (
          <li key={hit.id}>
            <HitCard hit={hit} info={info} query={answer.query.code} href={searchHash({ ...state, ...startFrom(hit) })} />
          </li>
        ))}
      </ul>
    </>
  );
}

function HitCard({ hit, info, query, href }: { hit: Hit; info: Collection; query: string; href: string }) {
  const tail = keyTail(hit.key, hit.label);
  return (
    <a class="hit" href={href} title={hit.key} aria-label={`${tail}${hit.label ? `, ${hit.label}` : ''}, distance ${hit.distance}. Search from it`}>
      <span class="frame">
        <Thumbnail id={hit.id} size={192} alt="" />
      </span>
      <span class="row">
        <span class="distance">
          <b>{hit.distance}</b>
          <small> / {info.bits}</small>
        </span>
        {hit.label && <span class="label">{hit.label}</span>}
      </span>
      <BitBar code={hit.code} bits={info.bits} against={query} />
      <span class="key">{tail}</span>
    </a>
  );
}

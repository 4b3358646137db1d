import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, asProblem, Problem } from '../api/client';
import type { Collection, MapAnswer, StoredImage } from '../api/types';
import { keyTail, number } from '../lib/format';
import { navigate, useRequest, useSize } from '../lib/hooks';
import { hasModifier } from '../lib/keys';
import { paintMap, showsPictures, type Scene } from '../lib/paint';
import { seriesToken } from '../lib/palette';
import { fitting, panned, PointGrid, spread, toPlane, toScreen, zoomed, type Window } from '../lib/plane';
import { searchHash, startFrom } from '../lib/route';
import { BitBar } from '../parts/bitbar';
import { Thumbnail } from '../parts/picture';
import { Announcement, Empty, ProblemBox } from '../parts/states';

const kAmounts = [5000, 20000, 50000];

export function MapView({ info }: { info: Collection }) {
  const [amount, setAmount] = useState(20000);
  const answer = useRequest(`map ${amount}`, (signal) => api.map(amount, signal));
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const labels = answer.value?.labels ?? [];
  return (
    <div class="map">
      <div class="bar">
        <h1>Map</h1>
        {info.images > kAmounts[0]! && (
          <label class="field">
            <span>Points</span>
            <select value={amount} onChange={(event) => setAmount(Number(event.currentTarget.value))}>
              {kAmounts.filter((_, i) => i === 0 || kAmounts[i - 1]! < info.images).map((n) => (
                <option value={n} key={n}>
                  {number(Math.min(n, info.images))}
                </option>
              ))}
            </select>
          </label>
        )}
        <p class="soft" role="status">
          {answer.value
            ? `${number(answer.value.points.length)} of ${number(info.images)} images; near each other where their codes are alike`
            : answer.loading
              ? 'Laying out the codes…'
              : ''}
        </p>
      </div>
      {answer.problem ? (
        <div class="centre">
          <ProblemBox problem={answer.problem} onRetry={answer.retry} />
        </div>
      ) : answer.value && answer.value.points.length === 0 ? (
        <div class="centre">
          <Empty title="Nothing to lay out">
            <p>The map appears once the collection has images.</p>
          </Empty>
        </div>
      ) : (
        <div class={answer.loading ? 'plane stale' : 'plane'}>
          {answer.value && <Plane info={info} answer={answer.value} hidden={hidden} />}
          <Legend labels={labels} hidden={hidden} onChange={setHidden} />
        </div>
      )}
    </div>
  );
}

function Legend({ labels, hidden, onChange }: { labels: string[]; hidden: ReadonlySet<number>; onChange: (hidden: ReadonlySet<number>) => void }) {
  if (labels.length === 0) return null;
  const toggle = (n: number): void => {
    const next = new Set(hidden);
    if (!next.delete(n)) next.add(n);
    onChange(next);
  };
  return (
    <div class="legend" role="group" aria-label="Labels shown">
      {labels.slice(0, 40).map((label, n) => (
        <button type="button" key={label} aria-pressed={!hidden.has(n)} onClick={() => toggle(n)}>
          <i style={{ background: `var(${seriesToken(n)})` }} />
          {label}
        </button>
      ))}
      {labels.length > 40 && <small>and {labels.length - 40} more</small>}
    </div>
  );
}

function sceneOf(answer: MapAnswer): Scene {
  const n = answer.points.length;
  const scene = { ids: new Array<number>(n), xs: new Float32Array(n), ys: new Float32Array(n), labels: new Int32Array(n) };
  answer.points.forEach(([id, x, y, label], i) => {
    scene.ids[i] = id;
    scene.xs[i] = x;
    scene.ys[i] = y;
    scene.labels[i] = label ?? -1;
  });
  spread(scene.xs, scene.ys, 0.0022);
  return { ...scene, grid: new PointGrid(scene.xs, scene.ys) };
}

function Plane({ info, answer, hidden }: { info: Collection; answer: MapAnswer; hidden: ReadonlySet<number> }) {
  const [sizeRef, size] = useSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useMemo(() => sceneOf(answer), [answer]);
  const fit = fitting(size.width, size.height);
  const [moved, setMoved] = useState<Window>();
  const shown = moved ?? fit;
  const [picked, setPicked] = useState(-1);
  const [problem, setProblem] = useState<Problem>();
  const [repaint, setRepaint] = useState(0);
  const allowed = (i: number): boolean => !hidden.has(scene.labels[i]!);

  useEffect(() => setPicked(-1), [scene]);
  useThemeChange(() => setRepaint((n) => n + 1));
  useEffect(() => {
    if (!canvas.current || size.width === 0) return;
    const frame = requestAnimationFrame(
      () => canvas.current && paintMap(canvas.current, size, scene, shown, hidden, picked, () => setRepaint((n) => n + 1)),
    );
    return () => cancelAnimationFrame(frame);
  }, [scene, size.width, size.height, shown.scale, shown.x, shown.y, hidden, picked, repaint]);

  const pickAt = (px: number, py: number, reach: number): number => {
    const [x, y] = toPlane(shown, px, py);
    const i = scene.grid.nearest(x, y, reach / shown.scale, allowed);
    setPicked(i);
    return i;
  };
  const reach = showsPictures(scene, shown, size) ? 24 : 12;
  const search = (i: number): void => {
    const id = scene.ids[i];
    if (id === undefined) return;
    setProblem(undefined);
    api.imageById(id).then(
      (image) => (image ? navigate(searchHash(startFrom(image))) : setProblem(new Problem(404, 'This image is gone', 'It was removed after the map was laid out.'))),
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  const zoom = (factor: number, px = size.width / 2, py = size.height / 2): void => setMoved(zoomed(shown, factor, px, py, fit));
  const gestures = useGestures({
    pan: (dx, dy) => setMoved((before) => panned(before ?? fit, dx, dy)),
    zoom: (factor, px, py) => setMoved((before) => zoomed(before ?? fit, factor, px, py, fit)),
    hover: (px, py) => pickAt(px, py, reach),
    click: (px, py, touch) => {
      const i = pickAt(px, py, touch ? 2 * reach : reach);
      if (i >= 0 && !touch) search(i);
    },
  });
  useWheel(canvas, (factor, px, py) => zoom(factor, px, py));
  const onKeyDown = (event: KeyboardEvent): void => {
    if (hasModifier(event)) return;
    const steps: Record<string, [number, number]> = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const step = steps[event.key];
    let next = shown;
    if (step) next = panned(shown, ...step);
    else if (event.key === '+' || event.key === '=') next = zoomed(shown, 1.5, size.width / 2, size.height / 2, fit);
    else if (event.key === '-') next = zoomed(shown, 1 / 1.5, size.width / 2, size.height / 2, fit);
    else if (event.key === '0') next = fit;
    else if (event.key === 'Enter' && picked >= 0) return search(picked);
    else if (event.key === 'Escape') return setPicked(-1);
    else return;
    event.preventDefault();
    setMoved(next);
    // The keyboard points with the middle of the map.
    const [x, y] = toPlane(next, size.width / 2, size.height / 2);
    setPicked(scene.grid.nearest(x, y, 160 / next.scale, allowed));
  };
  const id = scene.ids[picked];
  return (
    <div class="canvas-room" ref={sizeRef}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Map of ${number(scene.ids.length)} images. Arrow keys move, plus and minus zoom, 0 shows everything; the image nearest to the middle is picked, Enter searches from it.`}
        {...gestures}
        onKeyDown={onKeyDown}
      />
      <div class="zoom">
        <button type="button" aria-label="Zoom in" onClick={() => zoom(1.6)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(1 / 1.6)}>
          −
        </button>
        <button type="button" aria-label="Show everything" onClick={() => setMoved(undefined)}>
          ⤢
        </button>
      </div>
      {id !== undefined && picked >= 0 && <PointCard id={id} info={info} at={toScreen(shown, scene.xs[picked]!, scene.ys[picked]!)} size={size} />}
      {problem && <ProblemBox problem={problem} onDismiss={() => setProblem(undefined)} />}
    </div>
  );
}

/** What is picked, beside its point. Its place is data; its picture is asked at once, its key after a moment. */
function PointCard({ id, info, at, size }: { id: number; info: Collection; at: [number, number]; size: { width: number; height: number } }) {
  const image = useRequest<StoredImage | undefined>(`point ${id}`, (signal) => api.imageById(id, signal), 90);
  const known = image.value?.id === id ? image.value : undefined;
  const [x, y] = at;
  const left = x + 190 > size.width ? x - 184 : x + 16;
  const top = Math.min(Math.max(y - 60, 8), Math.max(8, size.height - 240));
  return (
    <div class="point-card" style={{ left: `${Math.max(8, left)}px`, top: `${top}px` }}>
      <span class="frame">
        <Thumbnail id={id} size={192} alt={known ? keyTail(known.key) : `image ${id}`} />
      </span>
      {known ? (
        <>
          <p class="name">
            {known.label && <span class="label">{known.label}</span>} <span class="key">{keyTail(known.key, known.label)}</span>
          </p>
          <BitBar code={known.code} bits={info.bits} />
          <a class="button" href={searchHash(startFrom(known))}>
            Search from it
          </a>
          <Announcement text={`${keyTail(known.key)}${known.label ? `, ${known.label}` : ''}`} />
        </>
      ) : (
        <p class="name soft">{image.problem ? image.problem.title : `image ${id}`}</p>
      )}
    </div>
  );
}

interface Gestures {
  pan: (dx: number, dy: number) => void;
  zoom: (factor: number, px: number, py: number) => void;
  hover: (px: number, py: number) => void;
  click: (px: number, py: number, touch: boolean) => void;
}

/** One pointer drags or clicks, two pinch; a pointer that is up hovers. */
function useGestures(act: Gestures) {
  const down = useRef(new Map<number, { x: number; y: number }>());
  const travelled = useRef(0);
  const place = (event: PointerEvent): { x: number; y: number } => ({ x: event.offsetX, y: event.offsetY });
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      if (down.current.size === 0) travelled.current = 0;
      down.current.set(event.pointerId, place(event));
    },
    onPointerMove: (event: PointerEvent) => {
      const now = place(event);
      const before = down.current.get(event.pointerId);
      if (!before) {
        if (event.pointerType === 'mouse') act.hover(now.x, now.y);
        return;
      }
      travelled.current += Math.hypot(now.x - before.x, now.y - before.y);
      const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const factor = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
        act.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
      } else if (travelled.current > 4) {
        act.pan(now.x - before.x, now.y - before.y);
      }
      down.current.set(event.pointerId, now);
    },
    onPointerUp: (event: PointerEvent) => {
      const was = down.current.delete(event.pointerId);
      if (was && travelled.current <= 4) act.click(event.offsetX, event.offsetY, event.pointerType !== 'mouse');
    },
    onPointerCancel: (event: PointerEvent) => void down.current.delete(event.pointerId),
  };
}

/** The wheel zooms; the listener must not be passive, or the page would scroll as well. */
function useWheel(canvas: { current: HTMLCanvasElement | null }, zoom: (factor: number, px: number, py: number) => void): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const element = canvas.current;
    const listener = (event: WheelEvent): void => {
      event.preventDefault();
      latest.current(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022)), event.offsetX, event.offsetY);
    };
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, []);
}

/** Calls back when light becomes dark or the other way round. */
function useThemeChange(changed: () => void): void {
  useEffect(() => {
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    return () => {
      observer.disconnect();
      system.removeEventListener('change', changed);
    };
  }, []);
}

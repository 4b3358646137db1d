import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Collection } from '../api/types';
import { keyTail, number, plural } from '../lib/format';
import { navigate, useSize } from '../lib/hooks';
import { hasModifier } from '../lib/keys';
import { ImagePages } from '../lib/pages';
import { routeHash, searchHash, startFrom } from '../lib/route';
import { barOfTop, fieldHeight, moved, scrolled, showing, visibleRows, within, type Extent } from '../lib/scroll';
import { Thumbnail } from '../parts/picture';
import { Empty, ProblemBox } from '../parts/states';

const kCellWidth = 104;
const kCaption = 20;
const kGap = 10;

export function BrowseView({ info, params }: { info: Collection; params: URLSearchParams }) {
  const label = params.get('label') ?? '';
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const pages = useMemo(() => new ImagePages(label || undefined, () => redraw(undefined as never)), [label]);
  useEffect(() => () => pages.close(), [pages]);
  const known = label ? info.labels.find((entry) => entry.label === label)?.count : info.images;
  const total = pages.total ?? known ?? 0;
  const first = useRef(info);
  useEffect(() => {
    if (info !== first.current) pages.refresh(); // asked for again: somebody looks at the page anew
  }, [info]);
  const [jump, setJump] = useState<number>();
  return (
    <div class="browse">
      <div class="bar">
        <h1>Browse</h1>
        {info.labels.length > 0 && (
          <label class="field">
            <span>Label</span>
            <select
              value={label}
              onChange={(event) => navigate(routeHash('browse', event.currentTarget.value ? { label: event.currentTarget.value } : {}), true)}
            >
              <option value="">all ({number(info.images)})</option>
              {info.labels.map((entry) => (
                <option value={entry.label} key={entry.label}>
                  {entry.label} ({number(entry.count)})
                </option>
              ))}
            </select>
          </label>
        )}
        <JumpForm total={total} onJump={(index) => setJump(index)} />
        <p class="soft" role="status">
          {plural(total, 'image')}
        </p>
      </div>
      {pages.problem && <ProblemBox problem={pages.problem} onRetry={() => pages.retry()} />}
      {total > 0 ? (
        <Grid key={label} pages={pages} total={total} jump={jump} onJumped={() => setJump(undefined)} />
      ) : (
        <div class="centre">
          <Empty title={label ? `No image is labelled ${label}` : 'This collection is empty'}>
            {label && (
              <p class="actions">
                <a class="button" href="#/browse">
                  All labels
                </a>
              </p>
            )}
          </Empty>
        </div>
      )}
    </div>
  );
}

function JumpForm({ total, onJump }: { total: number; onJump: (index: number) => void }) {
  const [text, setText] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = Number(text);
    if (total > 0 && text !== '' && Number.isFinite(wanted)) onJump(Math.min(Math.max(Math.round(wanted), 1), total) - 1);
  };
  return (
    <form class="field" onSubmit={submit}>
      <label for="jump">Go to no.</label>
      <input id="jump" inputMode="numeric" pattern="[0-9]*" size={8} value={text} onInput={(event) => setText(event.currentTarget.value)} />
    </form>
  );
}

interface GridProps {
  pages: ImagePages;
  total: number;
  jump: number | undefined;
  onJumped: () => void;
}

/** Rows are drawn where they are seen; lib/scroll.ts says how a bar of bounded length leads through any number of them. */
function Grid({ pages, total, jump, onJumped }: GridProps) {
  const [viewRef, view] = useSize();
  const [fieldRef, field] = useSize();
  const size = { width: field.width, height: view.height };
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const bar = useRef(0); // the scroll bar as last seen, to tell small movements from jumps
  const rest = useRef<ReturnType<typeof setTimeout>>();
  const focusWanted = useRef(false);

  const columns = Math.max(2, Math.floor((size.width + kGap) / (kCellWidth + kGap)));
  const rowHeight = Math.floor((size.width + kGap) / columns) + kCaption;
  const rows = Math.ceil(total / columns);
  const extent: Extent = { content: rows * rowHeight + 8, view: size.height };
  const ready = size.width > 0 && size.height > 0;

  const place = (wanted: number): void => {
    const element = scroller.current;
    if (!element) return;
    const next = within(wanted, extent);
    element.scrollTop = barOfTop(next, extent);
    bar.current = element.scrollTop;
    setTop(next);
  };
  const onScroll = (): void => {
    const now = scroller.current!.scrollTop;
    if (now === bar.current) return;
    const next = scrolled(top, bar.current, now, extent);
    bar.current = now;
    setTop(next);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => latestPlace.current(), 180);
  };
  const latestPlace = useRef(() => {});
  latestPlace.current = () => place(top);
  useEffect(() => () => clearTimeout(rest.current), []);

  // A new width has new rows: the image at the top stays there.
  const shape = useRef({ columns, rowHeight });
  useLayoutEffect(() => {
    const before = shape.current;
    shape.current = { columns, rowHeight };
    if (!ready || (before.columns === columns && before.rowHeight === rowHeight)) return;
    const index = Math.round(top / before.rowHeight) * before.columns;
    place(Math.floor(index / columns) * rowHeight);
  }, [columns, rowHeight, ready]);

  const [first, end] = visibleRows(top, rowHeight, size.height, rows, 2);
  useEffect(() => {
    if (ready) pages.want(first * columns, Math.min(end * columns, total));
  }, [first, end, columns, total, ready]);

  const goTo = (index: number, align: 'near' | 'top'): void => {
    const rowTop = Math.floor(index / columns) * rowHeight;
    focusWanted.current = true;
    setActive(index);
    place(align === 'top' ? rowTop : showing(top, rowTop, rowHeight + 8, size.height));
  };
  useEffect(() => {
    if (jump === undefined || !ready) return;
    goTo(jump, 'top');
    onJumped();
  }, [jump, ready]);
  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    const cell = scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`);
    if (!cell) return;
    focusWanted.current = false;
    cell.focus({ preventScroll: true });
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (hasModifier(event)) return;
    const next = moved(event.key, active, total, columns, Math.max(1, Math.floor(size.height / rowHeight) - 1));
    if (next === undefined) return;
    event.preventDefault();
    goTo(next, 'near');
  };

  const drawn = Array.from({ length: end - first }, (_, i) => first + i);
  const activeRow = Math.floor(active / columns);
  // The focused image stays in the page when it is scrolled out of sight, or the keyboard would lose its place.
  if (activeRow < rows && (activeRow < first || activeRow >= end)) drawn.push(activeRow);
  const shift = bar.current - top;
  return (
    <div
      class="scroller"
      role="grid"
      aria-label="Images"
      aria-rowcount={rows}
      aria-colcount={columns}
      tabIndex={-1}
      ref={(element) => {
        scroller.current = element;
        viewRef(element);
      }}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="extent" ref={fieldRef} style={{ height: `${fieldHeight(extent)}px` }}>
        {ready &&
          drawn.map((row) => {
            const seen = row >= first && row < end;
            const y = seen ? Math.round(row * rowHeight + shift) : bar.current - 4 * rowHeight;
            return (
              <div class="line-of" role="row" aria-rowindex={row + 1} key={row} style={{ transform: `translateY(${y}px)`, height: `${rowHeight}px` }}>
                {Array.from({ length: Math.min(columns, total - row * columns) }, (_, column) => (
                  <Cell pages={pages} index={row * columns + column} active={active} column={column} columns={columns} setActive={setActive} key={column} />
                ))}
              </div>
            );
          })}
      </div>
    </div>
  );
}

interface CellProps {
  pages: ImagePages;
  index: number;
  active: number;
  column: number;
  columns: number;
  setActive: (index: number) => void;
}

function Cell({ pages, index, active, column, columns, setActive }: CellProps) {
  const image = pages.get(index);
  const name = image ? `${keyTail(image.key)}${image.label ? `, ${image.label}` : ''}` : `image ${index + 1}, loading`;
  return (
    <div role="gridcell" aria-colindex={column + 1} class="cell" style={{ width: `${100 / columns}%` }}>
      <a
        href={image ? searchHash(startFrom(image)) : undefined}
        tabIndex={index === active ? 0 : -1}
        data-index={index}
        title={image?.key}
        aria-label={image ? `Search from no. ${number(index + 1)}: ${name}` : name}
        onFocus={() => setActive(index)}
      >
        <span class="frame">{image && <Thumbnail id={image.id} size={96} alt="" />}</span>
        <small>{image ? (image.label ?? keyTail(image.key)) : '\u00a0'}</small>
      </a>
    </div>
  );
}

// A list longer than a browser can lay out. Browsers stop at some 17 to 33 million pixels, and a million images in three columns
// are 40 million. So the scroll bar runs over a shorter field: small movements move the list pixel by pixel, large ones (dragging
// the bar) jump in proportion, and whenever scrolling rests the bar is put back where the list really is.

export const kFieldLimit = 8_000_000;

export interface Extent {
  /** Height of the whole list, in pixels. */
  content: number;
  /** Height of what can be seen. */
  view: number;
}

/** The height that the browser is asked to lay out. */
export const fieldHeight = (extent: Extent): number => Math.min(extent.content, kFieldLimit);

const room = (height: number, view: number): number => Math.max(0, height - view);

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** The position nearest to `top` that the list can be at. */
export const within = (top: number, extent: Extent): number => clamp(top, 0, room(extent.content, extent.view));

/** Where the list is when the bar says `bar`, in proportion. */
export function topOfBar(bar: number, extent: Extent): number {
  const field = room(fieldHeight(extent), extent.view);
  return field === 0 ? 0 : (clamp(bar, 0, field) / field) * room(extent.content, extent.view);
}

/** Where the bar belongs when the list is at `top`: the inverse of topOfBar. */
export function barOfTop(top: number, extent: Extent): number {
  const content = room(extent.content, extent.view);
  return content === 0 ? 0 : (clamp(top, 0, content) / content) * room(fieldHeight(extent), extent.view);
}

/** The list's position after the bar went from `before` to `bar`. */
export function scrolled(top: number, before: number, bar: number, extent: Extent): number {
  if (extent.content <= kFieldLimit) return bar;
  if (Math.abs(bar - before) > 3 * extent.view) return topOfBar(bar, extent);
  return within(top + bar - before, extent);
}

/** The position nearest to `top` that shows the whole row. */
export function showing(top: number, rowTop: number, rowHeight: number, view: number): number {
  if (rowTop < top) return rowTop;
  return rowTop + rowHeight > top + view ? rowTop + rowHeight - view : top;
}

/** Rows [first, end) that are visible, with `spare` rows on both sides. */
export function visibleRows(top: number, rowHeight: number, view: number, rows: number, spare: number): [first: number, end: number] {
  const first = clamp(Math.floor(top / rowHeight) - spare, 0, rows);
  return [first, clamp(Math.ceil((top + view) / rowHeight) + spare, first, rows)];
}

/** Where a key of the keyboard leads in a grid, or undefined if it does not move. */
export function moved(key: string, index: number, total: number, columns: number, rowsPerPage: number): number | undefined {
  const step: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rowsPerPage,
    PageDown: columns * rowsPerPage,
  };
  if (total === 0) return undefined;
  if (key === 'Home') return 0;
  if (key === 'End') return total - 1;
  const by = step[key];
  if (by === undefined) return undefined;
  const next = index + by;
  // Up and down at the rim stay in their column; a page stops at the first or last image.
  if (next >= 0 && next < total) return next;
  if (key === 'PageUp') return 0;
  if (key === 'PageDown') return total - 1;
  return key === 'ArrowDown' && Math.floor(index / columns) < Math.floor((total - 1) / columns) ? total - 1 : index;
}

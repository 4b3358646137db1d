// The map's geometry: points in [-1, 1] x [-1, 1], a window on them, and the nearest point to a pixel.

/** Screen = (point * scale) + offset, y upwards in the data and downwards on the screen. */
export interface Window {
  scale: number;
  x: number;
  y: number;
}

export const kMostZoom = 400;

/** The window that shows everything with a margin. */
export function fitting(width: number, height: number): Window {
  const scale = Math.max(1, Math.min(width, height) / 2 - 24);
  return { scale, x: width / 2, y: height / 2 };
}

export const toScreen = (w: Window, x: number, y: number): [number, number] => [x * w.scale + w.x, -y * w.scale + w.y];

export const toPlane = (w: Window, px: number, py: number): [number, number] => [(px - w.x) / w.scale, (w.y - py) / w.scale];

/** Zooms by a factor around a pixel, which stays where it is. `fit` bounds the zoom. */
export function zoomed(w: Window, factor: number, px: number, py: number, fit: Window): Window {
  const scale = Math.min(Math.max(w.scale * factor, fit.scale * 0.5), fit.scale * kMostZoom);
  const real = scale / w.scale;
  return { scale, x: px - (px - w.x) * real, y: py - (py - w.y) * real };
}

export const panned = (w: Window, dx: number, dy: number): Window => ({ ...w, x: w.x + dx, y: w.y + dy });

/** Points sorted into square cells, so that the neighbourhood of a pixel is found without looking at all. */
export class PointGrid {
  private readonly cells: Int32Array[];
  private readonly side: number;

  constructor(
    readonly xs: Float32Array,
    readonly ys: Float32Array,
  ) {
    this.side = Math.max(1, Math.min(256, Math.ceil(Math.sqrt(xs.length / 4))));
    const lists: number[][] = Array.from({ length: this.side * this.side }, () => []);
    for (let i = 0; i < xs.length; i++) lists[this.cell(xs[i]!) + this.side * this.cell(ys[i]!)]!.push(i);
    this.cells = lists.map((list) => Int32Array.from(list));
  }

  private cell(value: number): number {
    return Math.min(this.side - 1, Math.max(0, Math.floor(((value + 1) / 2) * this.side)));
  }

  /** Calls `visit` with every point of the cells that touch a rectangle. */
  private visit(x0: number, y0: number, x1: number, y1: number, visit: (i: number) => void): void {
    for (let row = this.cell(y0); row <= this.cell(y1); row++) {
      for (let column = this.cell(x0); column <= this.cell(x1); column++) {
        for (const i of this.cells[row * this.side + column]!) visit(i);
      }
    }
  }

  /** The point nearest to (x, y) within `reach` for which `allowed` holds, or -1. */
  nearest(x: number, y: number, reach: number, allowed: (i: number) => boolean): number {
    let best = -1;
    let least = reach * reach;
    this.visit(x - reach, y - reach, x + reach, y + reach, (i) => {
      const d = (this.xs[i]! - x) ** 2 + (this.ys[i]! - y) ** 2;
      if (d <= least && (d < least || best < 0) && allowed(i)) {
        least = d;
        best = i;
      }
    });
    return best;
  }

  /** Points inside a rectangle; stops after `most` and returns undefined then. */
  inside(x0: number, y0: number, x1: number, y1: number, most: number): number[] | undefined {
    const found: number[] = [];
    this.visit(x0, y0, x1, y1, (i) => {
      if (found.length <= most && this.xs[i]! >= x0 && this.xs[i]! <= x1 && this.ys[i]! >= y0 && this.ys[i]! <= y1) found.push(i);
    });
    return found.length > most ? undefined : found;
  }
}

const kGoldenAngle = Math.PI * (3 - Math.sqrt(5));

/**
 * Points at exactly the same place (images with the same code) are laid around it as the seeds of a sunflower, `step` apart, so that
 * each can be seen and pointed at. Changes the arrays.
 */
export function spread(xs: Float32Array, ys: Float32Array, step: number): void {
  const seen = new Map<string, number>();
  for (let i = 0; i < xs.length; i++) {
    const place = `${xs[i]!.toFixed(5)} ${ys[i]!.toFixed(5)}`;
    const rank = seen.get(place) ?? 0;
    seen.set(place, rank + 1);
    const radius = step * Math.sqrt(rank);
    xs[i] = xs[i]! + radius * Math.cos(rank * kGoldenAngle);
    ys[i] = ys[i]! + radius * Math.sin(rank * kGoldenAngle);
  }
}

import { expect, test } from 'vitest';
import { fitting, kMostZoom, panned, PointGrid, spread, toPlane, toScreen, zoomed } from './plane';

/** A fixed sequence in [-1, 1]. */
function sequence(n: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

test('everything fits, and the screen is upside down', () => {
  const w = fitting(800, 600);
  expect(toScreen(w, 0, 0)).toEqual([400, 300]);
  expect(toScreen(w, 0, 1)[1]).toBe(24);
  const [x, y] = toPlane(w, ...toScreen(w, 0.3, -0.7));
  expect(x).toBeCloseTo(0.3, 9);
  expect(y).toBeCloseTo(-0.7, 9);
});

test('zooming keeps the place under the pointer, within bounds', () => {
  const fit = fitting(800, 600);
  const w = zoomed(panned(fit, 30, -20), 3, 120, 450, fit);
  const before = toPlane(panned(fit, 30, -20), 120, 450);
  toPlane(w, 120, 450).forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 9));
  expect(zoomed(fit, 1e9, 0, 0, fit).scale).toBeCloseTo(fit.scale * kMostZoom, 6);
  expect(zoomed(fit, 1e-9, 0, 0, fit).scale).toBeCloseTo(fit.scale * 0.5, 9);
});

test('the nearest point is that of a look at all', () => {
  const [xs, ys] = [sequence(3000, 1), sequence(3000, 2)];
  const grid = new PointGrid(xs, ys);
  const [px, py] = [sequence(200, 3), sequence(200, 4)];
  const allowed = (i: number): boolean => i % 3 !== 0;
  for (let q = 0; q < 200; q++) {
    for (const reach of [0.01, 0.2]) {
      let best = -1;
      let least = reach * reach;
      for (let i = 0; i < 3000; i++) {
        const d = (xs[i]! - px[q]!) ** 2 + (ys[i]! - py[q]!) ** 2;
        if (allowed(i) && d <= least && (best < 0 || d < least)) [best, least] = [i, d];
      }
      expect(grid.nearest(px[q]!, py[q]!, reach, allowed)).toBe(best);
    }
  }
});

test('points of a rectangle, or undefined if they are too many', () => {
  const grid = new PointGrid(Float32Array.of(-0.5, 0.1, 0.2, 1), Float32Array.of(0, 0, 0.1, 1));
  expect(grid.inside(0, -0.1, 0.5, 0.5, 2)).toEqual([1, 2]);
  expect(grid.inside(-1, -1, 1, 1, 3)).toBeUndefined();
  expect(grid.inside(-1, -1, 1, 1, 4)).toHaveLength(4);
});

test('points at one place are laid around it, the first stays', () => {
  const xs = Float32Array.of(0.25, 0.5, 0.25, 0.25);
  const ys = Float32Array.of(0, 0, 0, 0);
  spread(xs, ys, 0.01);
  expect([xs[0], xs[1]]).toEqual([0.25, 0.5]);
  expect(Math.hypot(xs[2]! - 0.25, ys[2]!)).toBeCloseTo(0.01, 6);
  expect(Math.hypot(xs[3]! - 0.25, ys[3]!)).toBeCloseTo(0.01 * Math.SQRT2, 6);
});

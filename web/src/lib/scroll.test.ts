import { expect, test } from 'vitest';
import { barOfTop, fieldHeight, kFieldLimit, moved, scrolled, showing, topOfBar, visibleRows, within } from './scroll';

const short = { content: 50_000, view: 700 };
const long = { content: 40_000_000, view: 700 };

test('a list that fits is scrolled as it is', () => {
  expect(fieldHeight(short)).toBe(50_000);
  expect(topOfBar(1234, short)).toBeCloseTo(1234, 9);
  expect(scrolled(0, 0, 40_000, short)).toBe(40_000);
});

test('the list ends at the end of the window', () => {
  expect(within(-5, short)).toBe(0);
  expect(within(49_900, short)).toBe(49_300);
  expect(within(10, { content: 300, view: 700 })).toBe(0);
});

test('a list beyond what browsers lay out is laid out shorter, and both ends are reached', () => {
  expect(fieldHeight(long)).toBe(kFieldLimit);
  expect(topOfBar(0, long)).toBe(0);
  expect(topOfBar(kFieldLimit - 700, long)).toBe(40_000_000 - 700);
  expect(topOfBar(kFieldLimit, long)).toBe(40_000_000 - 700);
});

test('the bar and the list say the same', () => {
  for (const top of [0, 1, 999_999, 20_000_000, 39_999_300]) expect(topOfBar(barOfTop(top, long), long)).toBeCloseTo(top, 3);
  expect(barOfTop(5, { content: 300, view: 700 })).toBe(0);
  expect(topOfBar(5, { content: 300, view: 700 })).toBe(0);
});

test('small movements are pixel by pixel, large ones in proportion, and none leaves the list', () => {
  expect(scrolled(20_000_000, 4_000_000, 4_000_120, long)).toBe(20_000_120);
  expect(scrolled(20_000_000, 4_000_000, 0, long)).toBe(0);
  expect(scrolled(50, 100, 0, long)).toBe(0);
  expect(scrolled(39_999_200, 7_999_000, 7_999_300, long)).toBe(39_999_300);
});

test('rows in sight, with spare ones, inside the list', () => {
  expect(visibleRows(0, 100, 700, 1000, 2)).toEqual([0, 9]);
  expect(visibleRows(5_050, 100, 700, 1000, 2)).toEqual([48, 60]);
  expect(visibleRows(99_300, 100, 700, 1000, 2)).toEqual([991, 1000]);
  expect(visibleRows(0, 100, 700, 0, 2)).toEqual([0, 0]);
});

test('a row is brought into sight by the shortest way', () => {
  expect(showing(1000, 400, 100, 700)).toBe(400);
  expect(showing(1000, 1650, 100, 700)).toBe(1050);
  expect(showing(1000, 1300, 100, 700)).toBe(1000);
});

test('keys lead through the grid and stop at its rim', () => {
  const at = (key: string, index: number): number | undefined => moved(key, index, 23, 5, 2);
  expect(at('ArrowRight', 4)).toBe(5);
  expect(at('ArrowLeft', 0)).toBe(0);
  expect(at('ArrowDown', 3)).toBe(8);
  expect(at('ArrowDown', 19)).toBe(22); // the last row is short
  expect(at('ArrowDown', 21)).toBe(21);
  expect(at('ArrowUp', 3)).toBe(3);
  expect(at('PageDown', 0)).toBe(10);
  expect(at('PageDown', 20)).toBe(22);
  expect(at('PageUp', 4)).toBe(0);
  expect(at('End', 0)).toBe(22);
  expect(at('Home', 22)).toBe(0);
  expect(at('x', 0)).toBeUndefined();
  expect(moved('End', 0, 0, 5, 2)).toBeUndefined();
});

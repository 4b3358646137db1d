import { expect, test } from 'vitest';
import { centred, difference, inkBox } from './pixels';

/** A black picture with white pixels. */
function picture(width: number, height: number, white: [number, number][]): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (const [x, y] of white) rgba.fill(255, 4 * (y * width + x), 4 * (y * width + x) + 4);
  return rgba;
}

test('the box and the centre of what was drawn', () => {
  expect(inkBox(picture(8, 6, []), 8, 6)).toBeUndefined();
  expect(inkBox(picture(8, 6, [[2, 1], [5, 4]]), 8, 6)).toEqual({ x: 2, y: 1, width: 4, height: 4, massX: 4, massY: 3 });
});

test('a drawing is scaled to 20 of 28 parts, its mass in the middle', () => {
  const box = inkBox(picture(280, 280, Array.from({ length: 100 }, (_, i) => [20, 30 + i] as [number, number])), 280, 280)!;
  const { scale, x, y } = centred(box, 28);
  expect(scale).toBeCloseTo(0.2, 9);
  expect(box.massX * scale + x).toBeCloseTo(14, 9);
  expect(box.massY * scale + y).toBeCloseTo(14, 9);
});

test('pictures differ by the largest channel', () => {
  const a = Uint8ClampedArray.of(10, 10, 10, 255, 0, 0, 0, 255);
  const b = Uint8ClampedArray.of(10, 60, 30, 255, 20, 0, 0, 255);
  expect([...difference(a, b).levels]).toEqual([50, 20]);
  expect(difference(a, b).share).toBe(0.5);
  expect(difference(a, a).share).toBe(0);
  expect(() => difference(a, b.subarray(4))).toThrow(RangeError);
});

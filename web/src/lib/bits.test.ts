import { expect, test } from 'vitest';
import { barPath, bitsOf, columnPath, differing, isCode } from './bits';

test('bit k is bit k % 8 of byte k / 8, least significant first', () => {
  const bits = bitsOf('0180', 16);
  expect(bits.flatMap((bit, k) => (bit ? [k] : []))).toEqual([0, 15]);
});

test('bits beyond the length are left out, missing ones refused', () => {
  expect(bitsOf('ff0f', 12)).toEqual(Array(12).fill(true));
  expect(() => bitsOf('ff', 9)).toThrow(RangeError);
  expect(() => bitsOf('fg', 8)).toThrow(RangeError);
});

test('a code has as many bytes as its bits need', () => {
  expect(isCode('ff0f', 12)).toBe(true);
  expect(isCode('ff', 12)).toBe(false);
  expect(isCode('ff0f00', 12)).toBe(false);
  expect(isCode('ff0', 12)).toBe(false);
  expect(isCode('', 12)).toBe(false);
});

test('differing bits are those of the exclusive or', () => {
  expect(differing('0180', '0180', 16)).toEqual([]);
  expect(differing('0180', '0381', 16)).toEqual([1, 8]);
});

test('a set bit is a tall bar, an unset one short, and only chosen bits are drawn', () => {
  expect(barPath([true, false, true], (k) => k > 0)).toBe('M1.5 6.5V10M2.5 0V10');
});

test('columns stand behind the bits that they are drawn for', () => {
  expect(columnPath([0, 7])).toBe('M0.5 0V10M7.5 0V10');
});

import { expect, test } from 'vitest';
import type { DuplicateGroup, Verdict } from '../api/types';
import { nextOffset, nextOpen, pairName, pairsOf } from './review';

const group = (id: number, ids: number[], keep?: number): DuplicateGroup => ({
  id,
  images: ids.map((image) => ({ id: image, key: `${image}.png`, keep: image === keep })),
});
const decided = (...verdicts: [number, number, boolean][]): Map<string, Verdict> =>
  new Map(verdicts.map(([a, b, duplicate]) => [pairName(a, b), { a, b, duplicate }]));

const groups = [group(1, [1, 2, 3], 2), group(2, [7, 8]), group(3, [])];

test('each picture stands against the one that is kept; without a rule the first is', () => {
  expect(pairsOf(groups).map(({ keeper, other }) => [keeper.id, other.id])).toEqual([[2, 1], [2, 3], [7, 8]]);
});

test('the next pair without a verdict, going round', () => {
  const pairs = pairsOf(groups);
  expect(nextOpen(pairs, decided([2, 1, true]), 0)).toBe(1);
  expect(nextOpen(pairs, decided([2, 3, true], [8, 7, false]), 1)).toBe(0);
  expect(nextOpen(pairs, decided([1, 2, true], [2, 3, true], [7, 8, true]), 0)).toBe(-1);
  expect(nextOpen([], new Map(), 0)).toBe(-1);
});

test('groups that verdicts dissolved do not count for the next page', () => {
  const two = groups.slice(0, 2);
  expect(nextOffset(two, new Map())).toBe(2);
  expect(nextOffset(two, decided([7, 8, false]))).toBe(1);
  expect(nextOffset(two, decided([7, 8, true], [1, 2, false]))).toBe(2);
});

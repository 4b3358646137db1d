import { expect, test } from 'vitest';
import type { Collection, DuplicateGroup, Verdict } from '../api/types';
import { nextOffset, nextOpen, pairName, pairsOf, remembered, reviewedLevels } from './review';

const image = (id: number) => ({ id, key: `${id}.png`, code: '' });
const group = (keep: number, ...others: (number | [number, boolean])[]): DuplicateGroup => ({
  keep: image(keep),
  size: others.length,
  others: others.map((other) => {
    const [id, verdict] = typeof other === 'number' ? [other, null] : other;
    return { ...image(id), distance: 1, level: 'near-duplicate', verdict };
  }),
});
const decided = (...verdicts: [number, number, boolean][]): Map<string, Verdict> =>
  new Map(verdicts.map(([a, b, duplicate]) => [pairName(a, b), { a, b, duplicate }]));

const groups = [group(2, 1, 3), group(7, 8)];

test('each picture stands against the one that is kept', () => {
  expect(pairsOf(groups).map(({ keeper, other }) => [keeper.id, other.id])).toEqual([[2, 1], [2, 3], [7, 8]]);
});

test('the next pair without a verdict, going round', () => {
  const pairs = pairsOf(groups);
  expect(nextOpen(pairs, decided([2, 1, true]), 0)).toBe(1);
  expect(nextOpen(pairs, decided([2, 3, true], [8, 7, false]), 1)).toBe(0);
  expect(nextOpen(pairs, decided([1, 2, true], [2, 3, true], [7, 8, true]), 0)).toBe(-1);
  expect(nextOpen([], new Map(), 0)).toBe(-1);
});

test('what was said on another day is not asked again', () => {
  const before = new Map(remembered([group(2, [1, true], 3), group(7, [8, false])]));
  expect(before).toEqual(decided([2, 1, true], [7, 8, false]));
  expect(nextOpen(pairsOf(groups), before, 0)).toBe(1);
});

test('groups that verdicts dissolved do not count for the next page', () => {
  expect(nextOffset(groups, new Map())).toBe(2);
  expect(nextOffset(groups, decided([7, 8, false]))).toBe(1);
  expect(nextOffset(groups, decided([7, 8, true], [1, 2, false]))).toBe(2);
});

test('images of one class are no question of duplicates', () => {
  const levels = (...duplicate_levels: Collection['duplicate_levels']) => reviewedLevels({ duplicate_levels } as Collection);
  expect(levels('same-bytes', 'same-pixels', 'near-duplicate')).toEqual(['near-duplicate', 'same-pixels', 'same-bytes']);
  expect(levels('same-bytes', 'same-pixels', 'same-class')).toEqual(['same-pixels', 'same-bytes']);
  expect(levels('same-class')).toEqual([]);
});

// The order of a review: every group is a row of pairs, each picture against the one that would be kept.
import type { Collection, Duplicate, DuplicateGroup, DuplicateLevel, StoredImage, Verdict } from '../api/types';

export interface Pair {
  group: DuplicateGroup;
  keeper: StoredImage;
  other: Duplicate;
}

/** The levels that somebody can decide about, weakest first. Images of one class are another kind of question. */
export const reviewedLevels = (info: Collection): DuplicateLevel[] => info.duplicate_levels.filter((level) => level !== 'same-class').reverse();

/** The largest radius that the service looks for duplicates in. */
export const mostRadius = (info: Collection): number => Math.floor(info.bits / 2);

export const pairsOf = (groups: DuplicateGroup[]): Pair[] =>
  groups.flatMap((group) => group.others.map((other) => ({ group, keeper: group.keep, other })));

export const pairName = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** What the service remembers of these pairs. */
export const remembered = (groups: DuplicateGroup[]): [string, Verdict][] =>
  pairsOf(groups).flatMap(({ keeper, other }): [string, Verdict][] =>
    other.verdict === null ? [] : [[pairName(keeper.id, other.id), { a: keeper.id, b: other.id, duplicate: other.verdict }]],
  );

/** The first pair from `from` on, going round, that has no verdict; -1 if all have one. */
export function nextOpen(pairs: Pair[], decided: ReadonlyMap<string, Verdict>, from: number): number {
  for (let step = 0; step < pairs.length; step++) {
    const at = (from + step) % pairs.length;
    const pair = pairs[at]!;
    if (!decided.has(pairName(pair.keeper.id, pair.other.id))) return at;
  }
  return -1;
}

/**
 * Where the next page of groups begins. The service leaves out groups that verdicts have dissolved, so those that came before and are
 * no groups any more do not count.
 */
export function nextOffset(groups: DuplicateGroup[], decided: ReadonlyMap<string, Verdict>): number {
  return groups.filter((group) => {
    const pairs = pairsOf([group]);
    return !pairs.every((pair) => decided.get(pairName(pair.keeper.id, pair.other.id))?.duplicate === false);
  }).length;
}

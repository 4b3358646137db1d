// The order of a review: every group is a row of pairs, each picture against the one that would be kept.
import type { DuplicateGroup, GroupMember, Verdict } from '../api/types';

export interface Pair {
  group: DuplicateGroup;
  keeper: GroupMember;
  other: GroupMember;
}

/** The picture that a keep rule chose, or else the first. */
export const keeperOf = (group: DuplicateGroup): GroupMember | undefined => group.images.find((image) => image.keep) ?? group.images[0];

export function pairsOf(groups: DuplicateGroup[]): Pair[] {
  return groups.flatMap((group) => {
    const keeper = keeperOf(group);
    if (!keeper) return [];
    return group.images.filter((image) => image.id !== keeper.id).map((other) => ({ group, keeper, other }));
  });
}

export const pairName = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

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

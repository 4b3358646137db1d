import { expect, test } from 'vitest';
import { kDefaultHits, parseRoute, routeHash, searchHash, searchState, startFrom, wholeParam } from './route';

test('a search survives the way through the address', () => {
  const state = { code: '', key: '/a b/ü?#&.png', k: 7, radius: 0, labels: ['cat', 'a&b'] };
  const route = parseRoute(searchHash(state));
  expect(route.view).toBe('search');
  expect(searchState(route.params)).toEqual(state);
});

test('a code outranks a key, and defaults are left out', () => {
  expect(searchHash({ code: 'ff', key: 'x', k: kDefaultHits, labels: [] })).toBe('#/search?code=ff');
  expect(searchHash({})).toBe('#/search');
});

test('an image is named by its key, and by its id where the key is no text that could be sent back', () => {
  expect(searchHash(startFrom({ id: 7, key: '/a.png' }))).toBe('#/search?key=%2Fa.png');
  const hash = searchHash(startFrom({ id: 12_345_678_901, key: '/caf\ufffd.png' }));
  expect(hash).toBe('#/search?id=12345678901');
  expect(searchState(parseRoute(hash).params).id).toBe(12_345_678_901);
});

test('an unknown view is the search, and nonsense is the default', () => {
  expect(parseRoute('#/nowhere?x=1').view).toBe('search');
  expect(parseRoute('').view).toBe('search');
  const state = searchState(new URLSearchParams('k=0&radius=-3&code=FF&label=a&label=a'));
  expect(state).toEqual({ code: 'ff', key: '', k: kDefaultHits, radius: undefined, labels: ['a'] });
});

test('whole numbers within bounds', () => {
  const params = new URLSearchParams('a=5&b=5.5&c=1e3&d=');
  expect(wholeParam(params, 'a', 0, 5)).toBe(5);
  expect(wholeParam(params, 'a', 0, 4)).toBeUndefined();
  for (const name of ['b', 'c', 'd', 'e']) expect(wholeParam(params, name, 0, 9999)).toBeUndefined();
});

test('a view without parameters has a bare address', () => {
  expect(routeHash('map')).toBe('#/map');
  expect(routeHash('browse', { label: 'a b' })).toBe('#/browse?label=a+b');
});

// The address is the state: #/search?key=...&k=24&radius=6&label=cat. What stands after # never reaches the server.

export const kViews = ['search', 'browse', 'map', 'review'] as const;
export type View = (typeof kViews)[number];

export interface Route {
  view: View;
  params: URLSearchParams;
}

export const kDefaultHits = 24;
export const kMostHits = 200;

/** What the search view asks for. `radius` undefined means any distance. */
export interface SearchState {
  code: string;
  key: string;
  id: number | undefined;
  k: number;
  radius: number | undefined;
  labels: string[];
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const view = kViews.find((name) => name === path) ?? 'search';
  return { view, params: new URLSearchParams(query) };
}

export function routeHash(view: View, params: URLSearchParams | Record<string, string> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#/${view}${query ? `?${query}` : ''}`;
}

const whole = (text: string | null): number | undefined => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined);

/** A whole number of the address, if it is one and lies within the bounds. */
export function wholeParam(params: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const value = whole(params.get(name));
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

export function searchState(params: URLSearchParams): SearchState {
  return {
    code: params.get('code')?.toLowerCase() ?? '',
    key: params.get('key') ?? '',
    id: wholeParam(params, 'id', 0, Number.MAX_SAFE_INTEGER),
    k: wholeParam(params, 'k', 1, kMostHits) ?? kDefaultHits,
    radius: wholeParam(params, 'radius', 0, 4096),
    labels: [...new Set(params.getAll('label'))],
  };
}

/** The address of a search; what is at its default is left out. */
export function searchHash(state: Partial<SearchState>): string {
  const params = new URLSearchParams();
  if (state.code) params.set('code', state.code);
  else if (state.key) params.set('key', state.key);
  else if (state.id !== undefined) params.set('id', String(state.id));
  if (state.k !== undefined && state.k !== kDefaultHits) params.set('k', String(state.k));
  if (state.radius !== undefined) params.set('radius', String(state.radius));
  for (const label of state.labels ?? []) params.append('label', label);
  return routeHash('search', params);
}

/**
 * A stored image as what is searched from: by its key, which it keeps when its picture changes; by its id where the key has U+FFFD, which
 * the service shows for bytes that are no UTF-8 and would not find the image again.
 */
export const startFrom = ({ id, key }: { id: number; key: string }): Pick<SearchState, 'code' | 'key' | 'id'> =>
  key.includes('\ufffd') ? { code: '', key: '', id } : { code: '', key, id: undefined };

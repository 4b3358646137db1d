// The only file that talks to the service. Every failure comes out as a Problem.
import type { Collection, DuplicateLevel, DuplicatesAnswer, ImagePage, MapAnswer, SearchAnswer, StoredImage, Verdict } from './types';

/** What went wrong, as the service said it (RFC 9457), or as the network did: status 0. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly requestId = '',
    readonly retryAfter = 0,
  ) {
    super(detail || title);
  }

  /** The service asks who is calling, or the key that it was shown may not do this. What is refused without keys (403) none would open. */
  get wantsKey(): boolean {
    return this.status === 401 || (this.status === 403 && apiKey.get() !== '');
  }

  /** The service is busy and says when to come back. */
  get asksToWait(): boolean {
    return (this.status === 429 || this.status === 503) && this.retryAfter > 0;
  }
}

export interface Query {
  code?: string;
  key?: string;
  id?: number;
  k: number;
  radius?: number;
  labels?: string[];
  offset?: number;
  limit?: number;
}

// How often one thing is asked for at most: groups of duplicates may take minutes, a picture should be there soon.
const kMostForGroups = 60;
const kMostForPicture = 5;

const kKeyName = 'signet-key';

function storedKey(): string {
  try {
    return sessionStorage.getItem(kKeyName) ?? '';
  } catch {
    return ''; // storage may be forbidden
  }
}

let keyInUse = storedKey();

/** The API key lives as long as the tab; as long as the page where storage is forbidden. */
export const apiKey = {
  get: (): string => keyInUse,
  set: (key: string): void => {
    keyInUse = key;
    try {
      if (key) sessionStorage.setItem(kKeyName, key);
      else sessionStorage.removeItem(kKeyName);
    } catch {
      // Not remembered, but used.
    }
  },
};

// Relative to the page, so that it works below any path of a reverse proxy.
const address = (path: string): string => new URL(path, document.baseURI.replace(/#.*$/, '')).href;

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** True for the error of a request that the page itself gave up. */
export const wasAborted = isAbort;

/** Whatever went wrong, as something that can be shown. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(-1, 'The page made a mistake', error instanceof Error ? error.message : String(error));

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch((error: unknown) => {
    if (isAbort(error)) throw error;
    return ''; // cut off: the status is known
  });
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // A proxy in between answers in HTML: its status says enough.
  }
  const field = (name: string): string => (typeof body[name] === 'string' ? (body[name] as string) : '');
  return new Problem(
    response.status,
    field('title') || `The service answered ${response.status} ${response.statusText}`.trim(),
    field('detail'),
    field('request_id') || response.headers.get('x-request-id') || '',
    Number(response.headers.get('retry-after')) || 0,
  );
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const key = apiKey.get();
  if (key) headers.set('Authorization', `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(address(path), { ...init, headers });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem(0, 'The service does not answer', 'It may have been stopped, or the network is down. Nothing on this page is lost.');
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await call(path, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem(response.status, 'The answer cannot be read', 'What came back is not JSON. Is this address really the service?');
  }
}

/** A while that ends early, with an AbortError, when the signal says so. */
const pause = (seconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(new DOMException('given up', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });

/** Asks again while the service says when to come back, `most` times in all. */
async function patiently<T>(ask: () => Promise<T>, most: number, signal?: AbortSignal): Promise<T> {
  for (let asked = 1; ; asked++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Problem && error.asksToWait) || asked >= most) throw error;
      await pause(error.retryAfter, signal);
    }
  }
}

const post = (body: unknown, method = 'POST'): RequestInit => ({
  method,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const parameters = (values: Record<string, string | number | undefined>): string => {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') out.set(name, String(value));
  return out.toString();
};

export const api = {
  collection: (signal?: AbortSignal): Promise<Collection> => json('v1/collection', { signal }),

  search: (query: Query, signal?: AbortSignal): Promise<SearchAnswer> => json('v1/search', { ...post(query), signal }),

  /** The code of a picture. Bytes of unknown type are for the service to judge. */
  encode: (picture: Blob, signal?: AbortSignal): Promise<{ bits: number; code: string }> =>
    json('v1/encode', {
      method: 'POST',
      headers: { 'Content-Type': /^image\/(png|jpeg|webp|bmp|tiff)$/.test(picture.type) ? picture.type : 'application/octet-stream' },
      body: picture,
      signal,
    }),

  images: (page: { after?: number; offset?: number; limit: number; label?: string }, signal?: AbortSignal): Promise<ImagePage> =>
    json(`v1/images?${parameters(page)}`, { signal }),

  image: (key: string, signal?: AbortSignal): Promise<StoredImage> => json(`v1/images/${encodeURIComponent(key)}`, { signal }),

  /** The image with this id, or undefined where it was removed meanwhile. */
  imageById: async (id: number, signal?: AbortSignal): Promise<StoredImage | undefined> => {
    const page = await api.images({ after: id > 0 ? id - 1 : undefined, limit: 1 }, signal);
    return page.images.find((image) => image.id === id);
  },

  map: (limit: number, signal?: AbortSignal): Promise<MapAnswer> => json(`v1/map?limit=${limit}`, { signal }),

  /** In a large collection the service looks for a while and says when to ask again; this asks until the groups are there. */
  duplicates: (page: { level: DuplicateLevel; radius?: number; offset: number; limit: number }, signal?: AbortSignal): Promise<DuplicatesAnswer> =>
    patiently(() => json(`v1/duplicates?${parameters(page)}`, { signal }), kMostForGroups, signal),

  /** Says whether two images are duplicates; the answer is what was said before, null: nothing. */
  decide: async ({ a, b, duplicate }: Verdict): Promise<boolean | null> =>
    (await json<{ before: boolean | null }>(`v1/verdicts/${a}-${b}`, post({ duplicate }, 'PUT'))).before,

  /** Takes a verdict back. */
  undecide: async (a: number, b: number): Promise<void> => void (await call(`v1/verdicts/${a}-${b}`, { method: 'DELETE' })),

  thumbnailAddress: (id: number, size: number): string => address(`v1/thumbnails/${id}?size=${size}`),

  /** The pixels of a thumbnail, for canvases, and for pages that need a key (an <img> cannot send one). A busy service is asked again. */
  thumbnail: async (id: number, size: number, signal?: AbortSignal): Promise<ImageBitmap> => {
    const response = await patiently(() => call(`v1/thumbnails/${id}?size=${size}`, { signal }), kMostForPicture, signal);
    const bitmap = await createImageBitmap(await response.blob());
    // Decoding does not know the signal: who gave up meanwhile must not get a picture.
    if (signal?.aborted) bitmap.close();
    signal?.throwIfAborted();
    return bitmap;
  },
};

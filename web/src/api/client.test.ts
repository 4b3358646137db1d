import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api, apiKey, Problem, wasAborted } from './client';

const asked: { url: string; init: RequestInit }[] = [];

/** The network gives this answer to everything. */
const answerWith = (make: () => Response | Promise<Response>): void => {
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.resolve().then(make);
  });
};

beforeEach(() => {
  asked.length = 0;
  const store = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => store.get(name) ?? null,
    setItem: (name: string, value: string) => store.set(name, value),
    removeItem: (name: string) => store.delete(name),
  });
  vi.stubGlobal('document', { baseURI: 'https://host.example/below/#/search?key=a' });
});
afterEach(() => vi.unstubAllGlobals());

const failure = async (work: Promise<unknown>): Promise<Problem> => work.then(() => expect.unreachable(), (error: Problem) => error);

test('addresses are relative to the page, keys and labels are escaped', async () => {
  answerWith(() => new Response('{}'));
  await api.image('/a b/ü.png');
  await api.images({ offset: 0, limit: 5, label: 'a&b' });
  expect(asked.map(({ url }) => url)).toEqual([
    'https://host.example/below/v1/images/%2Fa%20b%2F%C3%BC.png',
    'https://host.example/below/v1/images?offset=0&limit=5&label=a%26b',
  ]);
});

test('a key is sent once there is one', async () => {
  answerWith(() => new Response('{}'));
  await api.collection();
  apiKey.set('secret');
  await api.collection();
  apiKey.set('');
  await api.collection();
  expect(asked.map(({ init }) => new Headers(init.headers).get('authorization'))).toEqual([null, 'Bearer secret', null]);
});

test('the problem of the service is passed on in its words', async () => {
  answerWith(
    () =>
      new Response('{"title":"Too large","status":413,"detail":"70 MB; at most 64 MB.","request_id":"7f"}', {
        status: 413,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '4' },
      }),
  );
  const problem = await failure(api.collection());
  expect(problem).toMatchObject({ status: 413, title: 'Too large', detail: '70 MB; at most 64 MB.', requestId: '7f', retryAfter: 4, wantsKey: false });
});

test('a proxy that answers in HTML, a service that is gone, an answer that is no JSON', async () => {
  answerWith(() => new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' }));
  expect(await failure(api.collection())).toMatchObject({ status: 502, title: 'The service answered 502 Bad Gateway' });
  answerWith(() => Promise.reject(new TypeError('Failed to fetch')));
  expect(await failure(api.collection())).toMatchObject({ status: 0, title: 'The service does not answer' });
  answerWith(() => new Response('<html>'));
  expect(await failure(api.collection())).toMatchObject({ title: 'The answer cannot be read' });
});

test('a request that was given up is no problem of the service', async () => {
  answerWith(() => Promise.reject(new DOMException('stopped', 'AbortError')));
  expect(wasAborted(await failure(api.collection()))).toBe(true);
  const stopped = () => Promise.reject(new DOMException('stopped', 'AbortError'));
  answerWith(() => Object.assign(new Response('', { status: 500 }), { text: stopped }));
  expect(wasAborted(await failure(api.collection()))).toBe(true);
});

test('who gave up while the answer came is not kept waiting', async () => {
  const controller = new AbortController();
  answerWith(() => {
    controller.abort();
    return new Response('{}', { status: 503, headers: { 'retry-after': '3600' } });
  });
  expect(wasAborted(await failure(api.duplicates({ level: 'near-duplicate', offset: 0, limit: 50 }, controller.signal)))).toBe(true);
});

test('pictures of a type that the service does not name are sent as bytes', async () => {
  answerWith(() => new Response('{}'));
  await api.encode(new Blob(['x'], { type: 'image/webp' }));
  await api.encode(new Blob(['x'], { type: 'image/heic' }));
  expect(asked.map(({ init }) => new Headers(init.headers).get('content-type'))).toEqual(['image/webp', 'application/octet-stream']);
});

test('groups that take long are asked for again, when the service says so, and only then', async () => {
  vi.useFakeTimers();
  const late = () => new Response('{"title":"Service Unavailable","status":503}', { status: 503, headers: { 'retry-after': '2' } });
  let left = 3;
  answerWith(() => (left-- > 0 ? late() : new Response('{"total":5}')));
  const page = { level: 'near-duplicate' as const, radius: 3, offset: 0, limit: 50 };
  const patient = new AbortController();
  const forgotten = vi.spyOn(patient.signal, 'removeEventListener');
  const answer = api.duplicates(page, patient.signal);
  await vi.advanceTimersByTimeAsync(5900);
  expect(asked).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(200);
  expect((await answer).total).toBe(5);
  expect(forgotten).toHaveBeenCalledTimes(3); // nothing listens on after its pause
  answerWith(() => new Response('{}', { status: 422 }));
  expect(await failure(api.duplicates(page))).toMatchObject({ status: 422 });
  answerWith(late);
  const controller = new AbortController();
  const given = failure(api.duplicates(page, controller.signal));
  await vi.advanceTimersByTimeAsync(100);
  controller.abort();
  expect(wasAborted(await given)).toBe(true);
  vi.useRealTimers();
});

test('a picture is asked for again where the service is busy, five times in all; any other refusal is final', async () => {
  vi.useFakeTimers();
  const picture = { close: vi.fn() };
  vi.stubGlobal('createImageBitmap', () => Promise.resolve(picture));
  const busy = () => new Response('{}', { status: 429, headers: { 'retry-after': '1' } });
  let left = 2;
  answerWith(() => (left-- > 0 ? busy() : new Response('')));
  const answer = api.thumbnail(7, 96);
  await vi.advanceTimersByTimeAsync(2100);
  expect(await answer).toBe(picture);
  expect(asked).toHaveLength(3);
  answerWith(busy);
  const refused = failure(api.thumbnail(7, 96));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await refused).toMatchObject({ status: 429 });
  expect(asked).toHaveLength(8);
  answerWith(() => new Response('{}', { status: 404, headers: { 'retry-after': '1' } }));
  expect(await failure(api.thumbnail(7, 96))).toMatchObject({ status: 404 });
  vi.useRealTimers();
});

test('a picture that was given up while it was decoded does not come', async () => {
  const controller = new AbortController();
  const picture = { close: vi.fn() };
  vi.stubGlobal('createImageBitmap', () => {
    controller.abort();
    return Promise.resolve(picture);
  });
  answerWith(() => new Response(''));
  expect(wasAborted(await failure(api.thumbnail(7, 96, controller.signal)))).toBe(true);
  expect(picture.close).toHaveBeenCalled();
});

test('a key is asked for where one is needed or another could help, not by a service without keys', () => {
  const wants = (status: number): boolean => new Problem(status, '', '').wantsKey;
  expect([wants(401), wants(403), wants(404)]).toEqual([true, false, false]);
  apiKey.set('read only');
  expect([wants(401), wants(403), wants(404)]).toEqual([true, true, false]);
  apiKey.set('');
});

test('a key is used where the browser keeps nothing', async () => {
  const forbidden = (): never => {
    throw new DOMException('storage is forbidden', 'SecurityError');
  };
  vi.stubGlobal('sessionStorage', { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
  apiKey.set('secret');
  expect(apiKey.get()).toBe('secret');
  apiKey.set('');
  expect(apiKey.get()).toBe('');
});

test('a verdict tells what was said before, so that it can be undone', async () => {
  answerWith(() => new Response('{"a":3,"b":7,"duplicate":true,"before":false}'));
  expect(await api.decide({ a: 7, b: 3, duplicate: true })).toBe(false);
  answerWith(() => new Response(null, { status: 204 }));
  await api.undecide(7, 3);
  expect(asked.map(({ url, init }) => [url.slice(url.indexOf('v1')), init.method, init.body])).toEqual([
    ['v1/verdicts/7-3', 'PUT', '{"duplicate":true}'],
    ['v1/verdicts/7-3', 'DELETE', undefined],
  ]);
});

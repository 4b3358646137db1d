import { afterEach, expect, test, vi } from 'vitest';
import { api, Problem } from '../api/client';
import type { StoredImage } from '../api/types';
import { ImagePages, kPageSize } from './pages';

const image = (id: number): StoredImage => ({ id, key: `${id}.png`, code: '00' });

/** A service of a million images with ids from 1; records what it was asked. */
function serve(): { asked: unknown[] } {
  const asked: unknown[] = [];
  vi.spyOn(api, 'images').mockImplementation((page) => {
    asked.push(page);
    const from = page.after ?? page.offset ?? 0;
    return Promise.resolve({ total: 1_000_000, images: Array.from({ length: page.limit }, (_, i) => image(from + i + 1)) });
  });
  return { asked };
}

/** The pages, and a promise that is kept when all that was asked for has come. */
function pagesOf(label?: string): { pages: ImagePages; changes: () => number } {
  let changes = 0;
  const pages = new ImagePages(label, () => changes++, 0);
  return { pages, changes: () => changes };
}

afterEach(() => vi.restoreAllMocks());

test('only the pages in sight are asked for, and the next one continues after the last id', async () => {
  const { asked } = serve();
  const { pages, changes } = pagesOf('cat');
  pages.want(600_000, 600_010);
  await vi.waitFor(() => expect(changes()).toBe(1));
  expect(asked).toEqual([{ offset: 600_000, limit: kPageSize, label: 'cat' }]);
  expect(pages.total).toBe(1_000_000);
  expect(pages.get(600_005)?.id).toBe(600_006);
  expect(pages.get(5)).toBeUndefined();
  pages.want(600_000, 600_000 + kPageSize + 1);
  await vi.waitFor(() => expect(changes()).toBe(2));
  expect(asked.slice(1)).toEqual([{ after: 600_000 + kPageSize, limit: kPageSize, label: 'cat' }]);
});

test('who passes by asks for nothing: only the last place counts', async () => {
  const { asked } = serve();
  const { pages, changes } = pagesOf();
  for (let at = 0; at < 900_000; at += 100_000) pages.want(at, at + 10);
  await vi.waitFor(() => expect(changes()).toBe(1));
  expect(asked).toEqual([{ offset: Math.floor(800_000 / kPageSize) * kPageSize, limit: kPageSize, label: undefined }]);
});

test('a list that others have changed is asked for again, and shown as it was until the answer is there', async () => {
  serve();
  const { pages, changes } = pagesOf();
  pages.want(kPageSize, 2 * kPageSize + 1);
  await vi.waitFor(() => expect(changes()).toBe(2));
  const asked: unknown[] = [];
  let answer = () => {};
  vi.spyOn(api, 'images').mockImplementation((page) => {
    asked.push(page);
    return new Promise((resolve) => (answer = () => resolve({ total: 2 * kPageSize, images: [image(7)] })));
  });
  pages.want(kPageSize, kPageSize + 1);
  pages.refresh();
  expect(asked).toEqual([{ offset: kPageSize, limit: kPageSize, label: undefined }]);
  expect(pages.get(kPageSize)?.id).toBe(kPageSize + 1);
  answer();
  await vi.waitFor(() => expect(pages.get(kPageSize)?.id).toBe(7));
  expect(pages.get(kPageSize + 1)).toBeUndefined();
  expect(pages.total).toBe(2 * kPageSize);
  pages.want(2 * kPageSize, 2 * kPageSize + 1); // seen before the change: asked for again
  await vi.waitFor(() => expect(asked.length).toBe(2));
});

test('memory is bounded: pages seen long ago are forgotten', async () => {
  serve();
  const { pages, changes } = pagesOf();
  for (let page = 0; page < 100; page++) {
    pages.want(page * kPageSize, page * kPageSize + 1);
    await vi.waitFor(() => expect(changes()).toBe(page + 1), { interval: 1 });
  }
  expect(pages.get(0)).toBeUndefined();
  expect(pages.get(99 * kPageSize)).toBeDefined();
});

test('a failure is kept until somebody tries again', async () => {
  const fail = vi.spyOn(api, 'images').mockRejectedValue(new Problem(503, 'Busy', 'Later.'));
  const { pages, changes } = pagesOf();
  pages.want(0, 10);
  await vi.waitFor(() => expect(changes()).toBe(1));
  expect(pages.problem?.status).toBe(503);
  fail.mockRestore();
  serve();
  pages.retry();
  await vi.waitFor(() => expect(pages.get(3)?.id).toBe(4));
  expect(pages.problem).toBeUndefined();
});

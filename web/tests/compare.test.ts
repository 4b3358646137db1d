// The page of signet compare, made by the built program from records written here and opened from disk: it sorts, it keeps its
// looks in the dark and on paper, and nothing leaves it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launch, look, open, shot, type Tab } from './browser';
import { pictureOf } from './double.mjs';

const signet = process.env.SIGNET_BIN;
const kQueries = 500;
const kMethods: [string, number, number][] = [
  // name, mAP at 12 bits, minutes of training
  ['signet', 0.82, 14],
  ['dsh', 0.79, 14],
  ['greedyhash', 0.825, 15],
  ['csq', 0.86, 15],
  ['ksh-gist', 0.41, 3],
  ['itq-gist', 0.22, 0.3],
  ['lsh-gist', 0.15, 0.05],
];

let browser: Browser;
let folder: string;
let tab: Tab;

// The same numbers every time, between 0 and 1.
const noise = (n: number) => {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
};

function packed(map: number, seed: number): [string, number] {
  const bytes = Buffer.alloc(2 * kQueries);
  let sum = 0;
  for (let i = 0; i < kQueries; ++i) {
    const ap = map + 0.2 * (noise(i + 1) - 0.5) + 0.05 * (noise(i + 1000 * seed) - 0.5);
    const level = Math.round(Math.min(1, Math.max(0, ap)) * 65535);
    bytes.writeUInt16LE(level, 2 * i);
    sum += level / 65535;
  }
  return [bytes.toString('base64'), sum / kQueries];
}

function record(method: string, at12: number, minutes: number, bits: number, seed: number, protocol: string) {
  const place = kMethods.findIndex(([name]) => name === method);
  const hard = protocol.endsWith('full') ? 0 : 0.06;
  const [values, map] = packed(at12 + 0.0008 * (bits - 12) - hard + 0.004 * (noise(seed + place) - 0.5), 10 * place + seed + bits);
  const recall = (r: number) => Math.min(1, map * (0.5 + 0.12 * r));
  const radii = Array.from({ length: Math.min(bits, 10) + 1 }, (_, r) => r);
  const example = (q: number) => ({
    query: { key: `t10k/${q}`, label: ['cat', 'dog', 'ship'][q] },
    hits: Array.from({ length: 6 }, (_, h) => ({
      key: `train/${q * 6 + h + place}`,
      label: noise(h + q + place) < map ? ['cat', 'dog', 'ship'][q] : 'frog',
      distance: h >> 1,
      relevant: noise(h + q + place) < map,
    })),
  });
  return {
    record_version: 2, plan: 'made', method, protocol, dataset: 'made up, 500 images', pictures: 'pixels as published, without loss',
    bits, network_bits: bits, seed, map, map_optimistic: Math.min(1, map + 0.03), map_pessimistic: map - 0.03, precision_at_radius_2: map - 0.02,
    empty_ball_share: 0.01, distinct_codes: 280 + place * 11, largest_bucket: 0.09, mean_bit_entropy: 0.99, mean_bit_correlation: 0.15,
    max_bit_correlation: 0.5, queries: kQueries, database: 60000, train_seconds: 60 * minutes + seed, image_passes: 798000, encode_images_per_second: 1900,
    version: '0.1.0', cpu: 'some CPU', threads: 1, query_set: `${protocol} 1`,
    query_ap: { encoding: 'uint16-base64', count: kQueries, step: 1, values },
    protocol_detail: { split: 'train: train part; queries: test part; database: train part', cutoff: 0, relevance: 'share a class label',
      divisor: 'relevant items in the database', no_relevant: 'left out', ties: 'expected', remark: 'Test images ask, the training images answer.' },
    precision_recall: radii.map((r) => [recall(r), Math.max(0.1, map + 0.1 - 0.06 * r)]),
    precision_at_n: [1, 10, 100, 1000, 6000, 60000].map((n) => [n, n < 6000 ? map + 0.05 : n === 6000 ? map : 0.1]),
    by_radius: radii.map((r) => ({ radius: r, items: 4000 + 500 * r, precision: Math.max(0.1, map + 0.1 - 0.06 * r), recall: recall(r) })),
    search_cost: radii.flatMap((r) => [
      { index: 'flat', radius: r, microseconds: 60 + place },
      { index: 'table', radius: r, microseconds: 2 * 1.6 ** r + place },
      { index: 'mih', radius: r, microseconds: 4 * 1.5 ** r + place },
    ]),
    examples: [example(0), example(1), example(2)],
  };
}

beforeAll(async () => {
  if (!signet) throw new Error('SIGNET_BIN does not name the built program');
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'signet-compare-'));
  const files: string[] = [];
  const pictures: Record<string, string> = {};
  for (let i = 0; i < 40; ++i) pictures[`train/${i}`] = pictureOf(i).toString('base64');
  for (let q = 0; q < 3; ++q) pictures[`t10k/${q}`] = pictureOf(100 + q).toString('base64');
  for (const protocol of ['cifar10-full', 'cifar10-heldout'])
    for (const [method, map, minutes] of kMethods)
      for (const bits of [12, 48])
        for (const seed of [1, 2, 3]) {
          const name = join(folder, `made_${protocol}_${method}_${bits}_s${seed}`);
          writeFileSync(`${name}.json`, JSON.stringify(record(method, map, minutes, bits, seed, protocol)));
          if (seed === 1) writeFileSync(`${name}.pictures`, JSON.stringify({ pictures }));
          files.push(`${name}.json`);
        }
  const published = join(folder, 'published');
  writeFileSync(published, JSON.stringify([
    { method: 'DSH', source: 'Liu 2016', protocol: 'cifar10-heldout', imagenet: false, ours: ['dsh'], map: { 12: 0.616, 48: 0.676 } },
    { method: 'GreedyHash', source: 'Su 2018', protocol: 'cifar10-full', imagenet: true, remark: 'pre-trained', map: { 48: 0.944 } },
    { method: 'KSH', source: 'Xia 2014', protocol: 'MNIST, 5,000 training images', map: { 12: 0.872 } },
  ]));
  execFileSync(signet, ['compare', ...files, '--published', published, '--rounds', '1000', '--html', join(folder, 'page.html')]);
});
afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await tab?.close();
  expect(tab.faults).toEqual([]); // errors of scripts, of the page's policy, and requests to anywhere
});

async function visit(look: BrowserContextOptions = {}) {
  tab = await open(browser, pathToFileURL(join(folder, 'page.html')).href, look);
  return tab.page;
}

describe('comparison', () => {
  const firstTable = '#s0 ~ .wide table.sortable';

  test('a column sorts by pointer and by keyboard, and says so', async () => {
    const page = await visit();
    const table = page.locator(firstTable).first();
    const values = async (column: number) =>
      (await table.locator(`tbody tr > :nth-child(${column})`).evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).dataset.value))) as string[];
    const known = (all: string[]) => all.filter((v) => v !== '').map(Number);
    await table.getByRole('button', { name: 'mAP', exact: true }).click();
    const down = await values(3);
    expect(known(down)).toEqual([...known(down)].sort((a, b) => b - a));
    expect(down.slice(known(down).length).every((v) => v === '')).toBe(true); // published rows have no mAP here and come last
    expect(known(down)).toHaveLength(14);
    const head = table.getByRole('columnheader', { name: 'mAP', exact: true });
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    await head.getByRole('button').focus();
    await page.keyboard.press('Enter');
    const up = await values(3);
    expect(known(up)).toEqual([...known(down)].reverse());
    expect(up.at(-1)).toBe('');
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    await table.getByRole('button', { name: 'method' }).press(' ');
    const names = await values(1);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b, 'en')));
    expect(await head.getAttribute('aria-sort')).toBe(null);
    expect(await page.getByRole('status').first().textContent()).toBe('Sorted by method, ascending');
  });

  test('says who wins, and that signet does not', async () => {
    const page = await visit();
    const claims = page.locator('section[aria-labelledby=s0] .claims li');
    expect(await claims.first().textContent()).toContain('At 12 bits signet does not win: csq has a mAP of 0.8');
    expect(await claims.first().textContent()).toContain('signet is better than');
    await shot(page, 'compare-top');
  });

  test('every table and figure has a name for those who do not see it', async () => {
    const page = await visit();
    expect(await page.getByRole('region', { name: 'Table of mAP, cifar10-full' }).count()).toBe(1);
    const figures = page.locator('svg[role=img]');
    expect(await figures.count()).toBeGreaterThan(20);
    for (const id of (await figures.evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-labelledby')))) as string[])
      for (const one of id.split(' ')) expect(await page.locator(`[id="${one}"]`).count()).toBe(1);
    expect(await page.locator('img:not([alt])').count()).toBe(0);
    expect(await page.locator('img').first().evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
  });

  test('numbers of the two protocols stay apart', async () => {
    const page = await visit();
    const full = await page.locator('section[aria-labelledby=s0]').textContent();
    expect(full).toContain('0.944');
    expect(full).not.toContain('0.616');
    const heldout = await page.locator('section[aria-labelledby=s1]').textContent();
    expect(heldout).toContain('0.616');
    expect(heldout).not.toContain('0.944');
  });

  test('dark, paper and a phone', async () => {
    const paper = (page: Tab['page']) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await visit();
    expect(await paper(light)).toBe('rgb(251, 250, 248)');
    await light.emulateMedia({ media: 'print' });
    expect(await paper(light)).toBe('rgb(255, 255, 255)');
    await light.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await light.locator('details:not([open])').count()).toBe(0);
    await shot(light, 'compare-print');
    await light.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect(await light.locator('details:not([open])').count()).toBeGreaterThan(0);
    expect(tab.faults).toEqual([]);
    await tab.close();
    const dark = await visit({ colorScheme: 'dark' });
    expect(await paper(dark)).toBe('rgb(21, 23, 26)');
    await shot(dark, 'compare-dark');
    expect(tab.faults).toEqual([]);
    await tab.close();
    const phone = await visit({ viewport: { width: 390, height: 844 } });
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390); // tables scroll inside
    await shot(phone, 'compare-phone');
  });

  // Screenshots, counted: text on paper of the right shade, and lines of several colours that stand out from it.
  test.each([
    ['light', 225, 255],
    ['dark', 0, 50],
  ] as const)('what is drawn in the %s', async (colorScheme, darkest, lightest) => {
    const page = await visit({ colorScheme });
    const top = await look(browser, page);
    expect(top.paper).toBeGreaterThanOrEqual(darkest);
    expect(top.paper).toBeLessThanOrEqual(lightest);
    expect(top.ink).toBeGreaterThan(0.01);
    expect(top.ink).toBeLessThan(0.5);
    const chart = page.locator('figure', { hasText: 'Precision against recall, 12 bits' }).first();
    await chart.evaluate((figure) => { // figures of one length may be folded away
      for (let at = figure.parentElement; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
    });
    const drawn = await look(browser, chart);
    expect(drawn.hues).toBeGreaterThanOrEqual(4);
    expect(drawn.ink).toBeGreaterThan(0.005);
    expect(drawn.ink).toBeLessThan(0.5);
  });

  test('without scripts everything is there', async () => {
    const page = await visit({ javaScriptEnabled: false });
    expect(await page.locator(firstTable).first().locator('tbody tr').count()).toBe(15);
    expect(await page.getByRole('button').count()).toBe(0);
  });
});

// The page and `signet serve` themselves: a small model is trained on real pictures, a collection is filled, the program serves it.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, open, shot, type Tab } from './browser';

const signet = process.env.SIGNET_BIN ?? '';
const data = process.env.SIGNET_DATA ?? '/usr/share/datasets/fashion-mnist';
const kImages = 1000;

let folder: string;
let browser: Browser;
let service: ChildProcess;
let address: string;
let pairs: ChildProcess; // a second service, whose collection has known duplicates and codes that tell pictures apart
let pairsAddress: string;
let tab: Tab;

const run = async (...words: string[]): Promise<void> => void (await promisify(execFile)(signet, words));

/** Starts a service; `port` 0 takes one that is free. Its first line is its address. */
function start(collection: string, port = 0): [ChildProcess, Promise<string>] {
  const child = spawn(signet, ['serve', '--collection', join(folder, collection), '--port', String(port), '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (line: Buffer) => resolve(line.toString().trim()));
    child.once('exit', (status) => reject(new Error(`signet serve ended with status ${status}`)));
  });
  return [child, ready];
}
function serve(port = 0): Promise<string> {
  const [child, ready] = start('fashion.signet', port);
  service = child;
  return ready;
}

const stopped = (child = service): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('exit', (status) => resolve(status));
    child.kill('SIGTERM');
  });

/** Sixty pictures, of which six are there twice: three as the same file, three with other bytes behind the same pixels. */
async function fillPairs(): Promise<void> {
  const all = join(folder, 'doubles');
  mkdirSync(all);
  const from = readdirSync(join(folder, 'pictures'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.png')).sort();
  for (let i = 0; i < 60; i++) {
    const bytes = readFileSync(join(folder, 'pictures', from[i * 16]!));
    writeFileSync(join(all, `${i}.png`), bytes);
    if (i < 6) writeFileSync(join(all, `${i}-again.png`), i < 3 ? bytes : Buffer.concat([bytes, Buffer.from('saved by another program')]));
  }
  await run('train', '--supervision', 'instance', '--data', all, '--bits', '64', '--epochs', '2', '--out', join(folder, 'instance.onnx'), '--quiet');
  await run('add', all, '--collection', join(folder, 'doubles.signet'), '--model', join(folder, 'instance.onnx'), '--quiet');
}

beforeAll(async () => {
  if (!signet) throw new Error('SIGNET_BIN names no program; ./run test-web sets it');
  folder = mkdtempSync(join(tmpdir(), 'signet-page-'));
  const pictures = join(folder, 'pictures');
  const positions = Array.from({ length: kImages }, (_, i) => i).join(',');
  await run('export-images', '--data', data, '--split', 'test', '--only', positions, '--class-folders', '--out', pictures);
  await run('train', '--data', pictures, '--bits', '32', '--epochs', '1', '--out', join(folder, 'model.onnx'), '--quiet');
  await run('add', pictures, '--collection', join(folder, 'fashion.signet'), '--model', join(folder, 'model.onnx'), '--quiet');
  address = await serve();
  await fillPairs();
  const [child, ready] = start('doubles.signet');
  pairs = child;
  pairsAddress = await ready;
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  for (const child of [service, pairs]) if (child?.exitCode === null) expect(await stopped(child)).toBe(0);
  if (folder) rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await tab?.close();
  expect(tab?.faults ?? []).toEqual([]);
});

async function visit(hash = '', look: BrowserContextOptions = {}): Promise<Tab['page']> {
  tab = await open(browser, address + hash, look);
  return tab.page;
}

const hitsOf = (page: Tab['page']) => page.locator('.results .hit:not(.skeleton)');

/** A picture of the collection: its bytes and its class. */
function aPicture(): { bytes: Buffer; label: string; name: string } {
  const label = readdirSync(join(folder, 'pictures')).sort()[0]!;
  const name = readdirSync(join(folder, 'pictures', label)).sort()[0]!;
  return { bytes: readFileSync(join(folder, 'pictures', label, name)), label, name };
}

test('a picture of the collection finds itself at distance 0, with its picture', async () => {
  const page = await visit();
  await page.getByText(`1\u202f000 images`).first().waitFor();
  const { bytes, name } = aPicture();
  await page.getByLabel('Picture to search with').setInputFiles({ name, mimeType: 'image/png', buffer: bytes });
  await hitsOf(page).first().waitFor();
  await page.getByRole('slider', { name: 'Most hits' }).fill('200');
  await page.locator(`.hit[title$="/${name}"] .distance b`).waitFor();
  expect(await page.locator(`.hit[title$="/${name}"] .distance b`).textContent()).toBe('0');
  await expect.poll(() => page.locator('.hit img').first().evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
});

test('filter by label and radius; a hit leads on', async () => {
  const page = await visit();
  await page.locator('.samples a').nth(2).click();
  await hitsOf(page).first().waitFor();
  const label = (await page.locator('.labels .chip').nth(5).textContent())!;
  await page.locator('.labels .chip').nth(5).click();
  await expect.poll(async () => [...new Set(await page.locator('.hit .label').allTextContents())]).toEqual([label]);
  const before = page.url();
  await hitsOf(page).nth(1).click();
  await expect.poll(() => page.url()).not.toBe(before);
  await page.getByRole('slider', { name: 'Radius' }).fill('2');
  await expect
    .poll(async () => {
      const distances = (await page.locator('.hit .distance b').allTextContents()).map(Number);
      return distances.length > 0 && distances.every((distance) => distance <= 2); // the query itself at least is there
    })
    .toBe(true);
});

test('a drawing is understood', async () => {
  const page = await visit();
  await page.getByRole('button', { name: 'Draw' }).click();
  const pad = (await page.getByRole('dialog').locator('canvas').boundingBox())!;
  await page.mouse.move(pad.x + 90, pad.y + 50);
  await page.mouse.down();
  await page.mouse.move(pad.x + 110, pad.y + 240, { steps: 4 });
  await page.mouse.move(pad.x + 230, pad.y + 240, { steps: 4 });
  await page.mouse.up();
  await page.getByRole('dialog').getByRole('button', { name: 'Search' }).click();
  await hitsOf(page).first().waitFor();
});

test('a file that is no picture, and an image that is not there', async () => {
  const page = await visit();
  await page.getByLabel('Picture to search with').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('hello') });
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('alert').locator('p').first().textContent()).not.toBe('');
  await page.goto(`${address}#/search?key=nobody`);
  await expect.poll(() => page.locator('.results [role=alert]').textContent()).toContain('no image with this key');
});

test('browse to the end, by label too', async () => {
  const page = await visit('#/browse');
  await page.locator('[data-index="0"] img').waitFor();
  await page.getByRole('grid').evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.locator(`[data-index="${kImages - 1}"] img`).waitFor();
  const { label } = aPicture();
  await page.getByLabel('Label').selectOption(label);
  await page.locator('[data-index="0"] img').waitFor();
  await expect.poll(async () => [...new Set(await page.locator('.cell small').allTextContents())]).toEqual([label]);
});

test('the map shows every image and leads to a search', async () => {
  const page = await visit('#/map');
  await page.getByText('1\u202f000 of 1\u202f000 images').waitFor();
  await page.getByRole('application').focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  for (let i = 0; i < 40 && (await page.locator('.point-card .key').count()) === 0; i++) {
    await page.keyboard.press(i % 4 < 2 ? 'ArrowDown' : '-');
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))); // then it is picked
  }
  await page.locator('.point-card .key').waitFor();
  await page.keyboard.press('Enter');
  await hitsOf(page).first().waitFor();
});

test('the service stops in order, and the page goes on when it is back', async () => {
  const page = await visit();
  await page.locator('.samples a').first().click();
  await hitsOf(page).first().waitFor();
  expect(await stopped()).toBe(0);
  await page.getByRole('slider', { name: 'Most hits' }).fill('5');
  await page.getByRole('heading', { name: 'The service does not answer' }).waitFor();
  await serve(Number(new URL(address).port));
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => hitsOf(page).count()).toBe(5);
});

const verdicts = async (): Promise<{ a: number; b: number; duplicate: boolean }[]> =>
  ((await (await fetch(`${pairsAddress}v1/verdicts`)).json()) as { verdicts: { a: number; b: number; duplicate: boolean }[] }).verdicts;

test('duplicates are reviewed: levels, verdicts by keyboard, undo, and nothing is asked twice', async () => {
  tab = await open(browser, `${pairsAddress}#/review?level=same-bytes`);
  const { page } = tab;
  await page.getByText('3 groups').waitFor();
  await page.getByText('same bytes', { exact: true }).waitFor();
  await page.getByText('no visible difference').waitFor();
  await page.getByLabel('Level').selectOption('same-pixels');
  await page.getByText('6 groups').waitFor();
  await page.getByLabel('Level').selectOption('near-duplicate');
  await expect.poll(async () => Number(/^(\d+) groups/.exec((await page.locator('.review .bar [role=status]').textContent())!)?.[1] ?? 0)).toBeGreaterThanOrEqual(6);
  await page.getByLabel('Level').selectOption('same-bytes');
  await page.getByText('3 groups').waitFor();
  await page.locator('.trio canvas').waitFor();
  await shot(page, 'review-pair');
  expect(await verdicts()).toEqual([]);
  await page.keyboard.press('n');
  await expect.poll(async () => (await verdicts()).map(({ duplicate }) => duplicate)).toEqual([false]);
  await page.keyboard.press('d');
  await expect.poll(async () => (await verdicts()).filter(({ duplicate }) => duplicate).length).toBe(1);
  await page.keyboard.press('u');
  await expect.poll(async () => (await verdicts()).map(({ duplicate }) => duplicate)).toEqual([false]);
  await page.reload();
  await page.getByText('2 groups').waitFor();
  await page.keyboard.press('d');
  await page.keyboard.press('d');
  await page.getByRole('heading', { name: 'All decided' }).waitFor();
  expect((await verdicts()).map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true]);
  await shot(page, 'review-done');
  for (const name of ['light', 'dark', 'phone']) {
    await tab.close();
    const look = kLooks.find(([known]) => known === name)![1];
    tab = await open(browser, `${pairsAddress}#/review?level=same-pixels`, look);
    await tab.page.locator('.trio canvas').waitFor();
    await tab.page.getByText(/of the area differs|no visible difference/).waitFor();
    await shot(tab.page, `review-real-${name}`);
  }
});

const kLooks: [string, BrowserContextOptions][] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
];
test.each(kLooks)('each view without a fault, %s', async (name, look) => {
  const page = await visit('', look);
  await page.locator('.samples img').first().waitFor();
  await shot(page, `start-${name}`);
  await page.locator('.samples a').nth(6).click();
  await page.locator('.hit img').first().waitFor();
  await shot(page, `search-${name}`);
  for (const view of ['browse', 'map', 'review']) {
    await page.goto(`${address}#/${view}`);
    await page.locator('.cell img, .canvas-room, .trio, .empty').first().waitFor();
    await shot(page, `${view}-${name}`);
  }
});

// The page in a real browser, against the stand-in of tests/double.mjs: what it does with a million images, with answers that are
// late or refused, and without a mouse.
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launch, open, shot, type Tab } from './browser';
import { makeDouble, pictureOf, type Double } from './double.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const kKey = '/pictures/apple/0000001.png';
const kSearch = `#/search?key=${encodeURIComponent(kKey)}`;

let browser: Browser;
let double: Double;
let tab: Tab;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
afterEach(async () => {
  await tab?.close();
  await double?.stop();
  expect(tab.faults).toEqual([]);
});

async function visit(hash = '', options: Partial<Parameters<typeof makeDouble>[0]> = {}, look: BrowserContextOptions = {}) {
  double = makeDouble({ images: 1000, dist, ...options });
  const address = await double.start();
  tab = await open(browser, address + hash, look);
  return { page: tab.page, address };
}

const hitsOf = (page: Tab['page']) => page.locator('.results .hit:not(.skeleton)');

describe('search', () => {
  test('a chosen picture becomes a code in the address, and its neighbours appear', async () => {
    const { page } = await visit();
    await page.getByLabel('Picture to search with').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: pictureOf(5) });
    await hitsOf(page).first().waitFor();
    expect(page.url()).toMatch(/#\/search\?code=[0-9a-f]{8}$/);
    expect(await hitsOf(page).count()).toBe(24);
    expect(await page.locator('.query canvas').count()).toBe(1);
    const distances = await page.locator('.hit .distance b').allTextContents();
    expect(distances.map(Number)).toEqual([...distances].map(Number).sort((a, b) => a - b));
    expect(double.log.filter((line) => line.startsWith('POST /v1/encode'))).toHaveLength(1);
  });

  test('a dropped and a pasted picture do the same, from any view', async () => {
    const { page } = await visit('#/browse');
    for (const kind of ['drop', 'paste']) {
      await page.goto(page.url().replace(/#.*/, '#/browse'));
      await page.locator('.cell a').first().waitFor();
      await page.evaluate(
        ([event, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes as number[])], 'a.png', { type: 'image/png' }));
          document.body.dispatchEvent(
            event === 'drop'
              ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
              : new ClipboardEvent('paste', { clipboardData: data, bubbles: true }),
          );
        },
        [kind, [...pictureOf(5)]] as const,
      );
      await hitsOf(page).first().waitFor();
      expect(page.url()).toContain('#/search?code=');
    }
  });

  test('a drawing is asked with, drawn by the pointer or by the keyboard alone', async () => {
    const { page } = await visit();
    await page.getByRole('button', { name: 'Draw' }).click();
    const dialog = page.getByRole('dialog', { name: 'Draw' });
    expect(await dialog.getByRole('button', { name: 'Search' }).isDisabled()).toBe(true);
    const pad = (await dialog.locator('canvas').boundingBox())!;
    await page.mouse.move(pad.x + 100, pad.y + 60);
    await page.mouse.down();
    await page.mouse.move(pad.x + 120, pad.y + 240, { steps: 6 });
    await page.mouse.up();
    await shot(page, 'draw');
    await dialog.getByRole('button', { name: 'Clear' }).click();
    expect(await dialog.getByRole('button', { name: 'Search' }).isDisabled()).toBe(true);
    await dialog.locator('canvas').focus();
    for (const key of [' ', ...Array<string>(9).fill('ArrowDown')]) await page.keyboard.press(key);
    await dialog.getByRole('button', { name: 'Search' }).press('Enter');
    await hitsOf(page).first().waitFor();
    expect(await dialog.count()).toBe(0);
  });

  test('sliders and labels change the hits and the address; the address alone brings all of it back', async () => {
    const { page } = await visit(kSearch);
    await hitsOf(page).first().waitFor();
    await page.getByRole('slider', { name: 'Most hits' }).fill('7');
    await page.getByRole('slider', { name: 'Radius' }).fill('3');
    await page.getByRole('button', { name: 'apple', exact: true }).click();
    await expect.poll(() => hitsOf(page).count()).toBe(7);
    const params = new URLSearchParams(page.url().split('?')[1]);
    expect(Object.fromEntries(params)).toEqual({ key: kKey, k: '7', radius: '3', label: 'apple' });
    expect(new Set(await page.locator('.hit .label').allTextContents())).toEqual(new Set(['apple']));
    expect((await page.locator('.hit .distance b').allTextContents()).every((text) => Number(text) <= 3)).toBe(true);
    await page.reload();
    await expect.poll(() => hitsOf(page).count()).toBe(7);
    expect(await page.getByRole('button', { name: 'apple', exact: true }).getAttribute('aria-pressed')).toBe('true');
    expect(await page.getByRole('slider', { name: 'Radius' }).getAttribute('aria-valuetext')).toBe('3 bits');
  });

  test('the differing bits are drawn and named, as many as the distance says', async () => {
    const { page } = await visit(kSearch);
    await hitsOf(page).first().waitFor();
    const cards = await hitsOf(page).evaluateAll((links) =>
      links.map((link) => ({
        distance: Number(link.querySelector('.distance b')!.textContent),
        bars: (link.querySelector('.bitbar .differs')!.getAttribute('d')!.match(/M/g) ?? []).length,
        label: link.querySelector('.bitbar')!.getAttribute('aria-label')!,
      })),
    );
    for (const card of cards) {
      expect(card.bars).toBe(card.distance);
      expect(card.label).toMatch(card.distance === 0 ? /^all 32 bits equal$/ : new RegExp(`^${card.distance} of 32 bits differ: `));
    }
    expect(cards.some((card) => card.distance > 0)).toBe(true);
  });

  test('a hit is a link to its own neighbours, by mouse and by keyboard, and Back returns', async () => {
    const { page } = await visit(kSearch);
    await hitsOf(page).first().waitFor();
    await hitsOf(page).nth(3).click();
    await page.waitForFunction((key) => !location.hash.includes(encodeURIComponent(key)), kKey);
    await page.goBack();
    await page.waitForFunction((key) => location.hash.includes(encodeURIComponent(key)), kKey);
    await hitsOf(page).first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const href = await page.evaluate(() => document.activeElement!.getAttribute('href'));
    expect(href).toMatch(/^#\/search\?key=/);
    await page.keyboard.press('Enter');
    await page.waitForFunction((wanted) => location.hash === wanted, href);
  });

  test('nothing within the radius says so, and offers the way out', async () => {
    const { page } = await visit('#/search?code=00000000&radius=0');
    await page.getByRole('heading', { name: 'Nothing within 0 bits' }).waitFor();
    await page.getByRole('button', { name: 'Any distance' }).click();
    await hitsOf(page).first().waitFor();
  });
});

describe('errors', () => {
  test('a file that is no picture: the problem in the words of the service, and the page goes on', async () => {
    const { page } = await visit();
    const input = page.getByLabel('Picture to search with');
    await input.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('hello') });
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('The 5 bytes are no PNG, JPEG, WebP, BMP or TIFF.');
    expect(await alert.textContent()).toContain('r-0001');
    await shot(page, 'error-picture');
    await alert.getByRole('button', { name: 'Dismiss' }).click();
    await input.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: pictureOf(5) });
    await hitsOf(page).first().waitFor();
  });

  test('a code of another length, and an image that is gone', async () => {
    const { page } = await visit('#/search?code=ff');
    expect(await page.getByRole('alert').textContent()).toContain('not 8 hex digits');
    await page.goto(page.url().replace(/#.*/, '#/search?key=nobody'));
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('no image nobody');
  });

  test('a service that stops and comes back', async () => {
    const { page, address } = await visit(kSearch);
    await hitsOf(page).first().waitFor();
    await double.stop();
    await page.getByRole('slider', { name: 'Most hits' }).fill('9');
    await page.getByRole('heading', { name: 'The service does not answer' }).waitFor();
    await shot(page, 'error-down');
    double = makeDouble({ images: 1000, dist });
    await double.start(Number(new URL(address).port));
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => hitsOf(page).count()).toBe(9);
  });

  test('a busy service is asked again only when somebody says so', async () => {
    const { page } = await visit('', { images: 1000 });
    double.faults.set('v1/collection', [503, 'Busy', 'All workers are taken.']);
    await page.reload();
    expect(await page.getByRole('alert').textContent()).toContain('All workers are taken.');
    double.faults.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Find what looks alike' }).waitFor();
  });

  test('a service that wants a key gets one, pictures included', async () => {
    const { page } = await visit(kSearch, { key: 'open-sesame' });
    await page.getByRole('alert').getByRole('button', { name: 'Enter a key' }).click();
    await page.getByRole('dialog', { name: 'API key' }).getByLabel('Key').fill('open-sesame');
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
    await expect.poll(() => page.locator('.hit canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(48);
  });

  test('a picture that is gone leaves a tile with words', async () => {
    const { page } = await visit('#/browse');
    await page.getByLabel('Go to no.').fill('97');
    await page.keyboard.press('Enter');
    await page.locator('[data-index="96"] .missing').waitFor();
  });

  test('without a model pictures are not offered; an empty collection says how to fill it', async () => {
    const { page } = await visit('', { canEncode: false });
    await page.getByText('This service has no model').waitFor();
    expect(await page.getByRole('button', { name: 'Choose a picture' }).count()).toBe(0);
    await tab.close();
    await double.stop();
    const empty = await visit('', { images: 0 });
    await empty.page.getByRole('heading', { name: 'This collection is empty' }).waitFor();
    await shot(empty.page, 'empty');
  });
});

describe('browse', () => {
  test('a million images: the end is reached, and only what was seen was asked for', async () => {
    const { page } = await visit('#/browse', { images: 1_000_000 });
    await page.locator('[data-index="0"] img').waitFor();
    const scroller = page.getByRole('grid', { name: 'Images' });
    expect(await page.locator('.cell').count()).toBeLessThan(200);
    await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await page.locator('[data-index="999999"] img').waitFor();
    await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight / 2));
    const first = async () => Number(await page.locator('.cell a').first().getAttribute('data-index'));
    await expect.poll(async () => Math.abs((await first()) - 500_000)).toBeLessThan(5000);
    await expect.poll(() => page.locator('.cell img').count()).toBeGreaterThan(10);
    expect(double.log.filter((line) => line.startsWith('GET /v1/images?')).length).toBeLessThan(12);
    expect(await page.locator('.cell').count()).toBeLessThan(250);
  });

  test('the wheel moves pixel by pixel where the bar alone could not', async () => {
    const { page } = await visit('#/browse', { images: 1_000_000 }, { viewport: { width: 390, height: 800 } });
    await page.getByLabel('Go to no.').fill('500000');
    await page.keyboard.press('Enter');
    await page.locator('[data-index="499999"] img').waitFor();
    const yOf = async (): Promise<number> => (await page.locator('[data-index="499999"]').boundingBox())!.y;
    const before = await yOf();
    await page.mouse.move(200, 400);
    await page.mouse.wheel(0, 90);
    await expect.poll(yOf).toBeCloseTo(before - 90, 0);
    await page.waitForTimeout(400); // the bar is put in its place meanwhile; the images must not move with it
    expect(await yOf()).toBeCloseTo(before - 90, 0);
  });

  test('the keyboard reaches every image, and Enter searches from it', async () => {
    const { page } = await visit('#/browse', { images: 1_000_000 });
    await page.locator('[data-index="0"] img').waitFor();
    await page.locator('[data-index="0"]').focus();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-index'));
    const columns = Number(await page.getByRole('grid').getAttribute('aria-colcount'));
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe(String(columns + 1));
    await page.keyboard.press('End');
    await expect.poll(focused).toBe('999999');
    await page.locator('[data-index="999999"] img').waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
    expect(decodeURIComponent(page.url())).toContain('0999999.png');
  });

  test('a focused image that is scrolled away keeps the focus', async () => {
    const { page } = await visit('#/browse', { images: 1_000_000 });
    await page.locator('[data-index="0"] img').waitFor();
    await page.locator('[data-index="3"]').focus();
    await page.getByRole('grid').evaluate((element) => (element.scrollTop = 3_000_000));
    await page.locator('[data-index="0"]').waitFor({ state: 'attached' });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-index'))).toBe('3');
  });

  test('one label, and another width: the first image in sight stays', async () => {
    const { page } = await visit('#/browse', { images: 100_000 });
    await page.getByLabel('Label').selectOption('boat');
    await page.locator('[data-index="0"] img').waitFor();
    expect(new Set(await page.locator('.cell small').allTextContents())).toEqual(new Set(['boat']));
    expect(page.url()).toContain('label=boat');
    await page.getByLabel('Go to no.').fill('6001');
    await page.keyboard.press('Enter');
    await page.locator('[data-index="6000"] img').waitFor();
    await page.setViewportSize({ width: 600, height: 800 });
    const first = async (): Promise<number> => {
      const top = (await page.getByRole('grid').boundingBox())!.y;
      const places = await page.locator('.cell a').evaluateAll((links) => links.map((a) => [Number(a.getAttribute('data-index')), a.getBoundingClientRect().y]));
      return places.filter(([, y]) => y! >= top - 4).sort((a, b) => a[1]! - b[1]! || a[0]! - b[0]!)[0]![0]!;
    };
    await expect.poll(async () => Math.abs((await first()) - 6000)).toBeLessThan(12);
  });

  test('a page that fails is fetched again on request', async () => {
    const { page } = await visit('#/browse');
    await page.locator('[data-index="0"] img').waitFor();
    double.faults.set('v1/images', [500, 'Internal error', 'The disk has a mind of its own.']);
    await page.getByLabel('Go to no.').fill('700');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').textContent()).toContain('a mind of its own');
    double.faults.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.cell img').first().waitFor();
  });
});

describe('map', () => {
  test('tens of thousands of points; the wheel zooms, a point is previewed and searched from', async () => {
    const { page } = await visit('#/map', { images: 60_000 });
    await page.getByLabel('Points').selectOption('50000');
    await page.getByText('50\u202f000 of 60\u202f000 images').waitFor();
    const canvas = page.getByRole('application');
    const box = (await canvas.boundingBox())!;
    const at = { x: box.x + box.width / 2 + (box.height / 2 - 24) * 0.62, y: box.y + box.height / 2 };
    await page.mouse.move(at.x, at.y);
    for (let i = 0; i < 3; i++) await page.mouse.wheel(0, -240);
    await page.mouse.move(at.x + 1, at.y);
    const card = page.locator('.point-card');
    await card.getByText('apple', { exact: true }).waitFor();
    await shot(page, 'map-near');
    const key = (await card.locator('.key').textContent())!;
    await page.mouse.click(at.x + 1, at.y);
    await hitsOf(page).first().waitFor();
    expect(decodeURIComponent(page.url())).toContain(key);
  });

  test('the keyboard pans, zooms and picks; hidden labels are not picked', async () => {
    const { page } = await visit('#/map');
    const canvas = page.getByRole('application');
    await canvas.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
    await page.locator('.point-card').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('.point-card').count()).toBe(0);
    for (const label of await page.locator('.legend button').all()) await label.click();
    await canvas.focus();
    await page.keyboard.press('+');
    expect(await page.locator('.point-card').count()).toBe(0);
    await page.locator('.legend button').first().click();
    await canvas.focus();
    await page.keyboard.press('0');
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
    await page.locator('.point-card').getByText('apple', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
  });
});

describe('duplicates', () => {
  test('verdicts by keyboard, remembered by the service, and undone', async () => {
    const { page } = await visit('#/review');
    await page.getByRole('heading', { name: 'Duplicates' }).waitFor();
    await page.locator('.trio canvas').waitFor();
    await page.getByText(/of the area differs|no visible difference/).waitFor();
    await shot(page, 'review');
    await page.keyboard.press('n');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false });
    await page.getByText('2 of', { exact: false }).first().waitFor();
    await page.keyboard.press('d');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false, '1 17': true });
    await page.keyboard.press('u');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false });
    for (const key of 'dnnuu') await page.keyboard.press(key); // quicker than the service answers
    await expect.poll(() => double.log.filter((line) => line.includes('verdicts')).length).toBe(8);
    expect(Object.fromEntries(double.verdicts)).toEqual({ '1 9': false, '1 17': true });
    await page.keyboard.press('u');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false });
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => double.verdicts.size).toBe(0);
    await expect.poll(() => page.getByRole('button', { name: 'Undo' }).isDisabled()).toBe(true);
  });

  test('what was said on another day is passed over, and undo brings it back', async () => {
    double = makeDouble({ images: 1000, dist });
    double.verdicts.set('1 9', true);
    tab = await open(browser, (await double.start()) + '#/review');
    const { page } = tab;
    await page.getByText('2 of', { exact: false }).first().waitFor();
    await page.keyboard.press('k');
    await page.locator('.trio .is-duplicate').waitFor();
    await page.keyboard.press('n');
    await expect.poll(() => double.verdicts.get('1 9')).toBe(false);
    await page.keyboard.press('u');
    await expect.poll(() => double.verdicts.get('1 9')).toBe(true);
    await page.locator('.trio .is-duplicate').waitFor();
  });

  test('a verdict that the service refuses is not counted', async () => {
    const { page } = await visit('#/review');
    await page.locator('.trio canvas').waitFor();
    double.faults.set('v1/verdicts', [403, 'Not allowed', 'This key may only read.']);
    await page.keyboard.press('d');
    expect(await page.getByRole('alert').textContent()).toContain('This key may only read.');
    expect(await page.locator('.steps').textContent()).toContain('1 of');
    expect(await page.getByRole('button', { name: 'Undo' }).isDisabled()).toBe(true);
  });

  test('to the end of all groups, and further pages', async () => {
    const { page } = await visit('#/review', { images: 2000 });
    await page.getByText('60 groups').waitFor();
    let decided = 0;
    for (const pairs of [67, 13]) {
      for (let i = 0; i < pairs; i++) {
        await page.keyboard.press('n');
        await expect.poll(() => double.verdicts.size).toBe(++decided);
      }
      await page.getByRole('heading', { name: 'All decided' }).waitFor();
      if (pairs === 67) await page.getByRole('button', { name: 'Load more groups' }).click();
      await page.locator(pairs === 67 ? '.trio' : '.empty').waitFor();
    }
    expect(await page.getByText('0 duplicates, 80 kept apart').count()).toBe(1);
  });

  test('is not offered by a service without it', async () => {
    const { page } = await visit('', { duplicates: false });
    await page.getByRole('link', { name: 'Browse' }).waitFor();
    expect(await page.getByRole('link', { name: 'Duplicates' }).count()).toBe(0);
  });
});

describe('the whole page', () => {
  test('the theme follows the system until it is chosen, and the choice is remembered', async () => {
    const { page } = await visit('', {}, { colorScheme: 'dark' });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.getByRole('button', { name: 'Use light colours' }).waitFor();
    expect(await paper()).toBe('rgb(21, 23, 26)');
    await page.getByRole('button', { name: 'Use light colours' }).click();
    expect(await paper()).toBe('rgb(251, 250, 248)');
    await page.reload();
    await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
    expect(await paper()).toBe('rgb(251, 250, 248)');
  });

  test('at phone width no view is wider than the screen', async () => {
    const { page, address } = await visit('', {}, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    for (const hash of ['#/search', kSearch, '#/browse', '#/map', '#/review']) {
      await page.goto(address + hash);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await page.locator('.hit:not(.skeleton), .cell img, .canvas-room, .trio, .samples img').first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    }
  });

  test('every control has a name, every picture words', async () => {
    const { page, address } = await visit();
    for (const hash of ['#/search', kSearch, '#/browse', '#/map', '#/review']) {
      await page.goto(address + hash);
      await page.locator('.hit:not(.skeleton), .cell img, .canvas-room, .trio, .samples img').first().waitFor();
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll('button, a, input, select, canvas, svg[role], img, [role=grid]')]
          .filter((element) => {
            const input = element as HTMLInputElement;
            const text = element.getAttribute('aria-label') ?? element.getAttribute('alt') ?? element.textContent;
            if (element instanceof HTMLImageElement) return !element.hasAttribute('alt');
            return !(text?.trim() || element.getAttribute('title') || [...(input.labels ?? [])].some((label) => label.textContent?.trim()));
          })
          .map((element) => element.outerHTML.slice(0, 120)),
      );
      expect(nameless).toEqual([]);
    }
  });
});

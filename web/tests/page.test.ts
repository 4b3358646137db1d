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
const countOf = (start: string): number => double.log.filter((line) => line.startsWith(start)).length;

/** Gives the page a picture from outside, as dragging or the clipboard does. */
const give = (page: Tab['page'], kind: 'drop' | 'paste', bytes: Buffer) =>
  page.evaluate(
    ([event, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(content as number[])], 'a.png', { type: 'image/png' }));
      document.body.dispatchEvent(
        event === 'drop'
          ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: data, bubbles: true }),
      );
    },
    [kind, [...bytes]] as const,
  );

/** The focused element as the start of a selector: `section.results`. */
const focusOf = (page: Tab['page']) => page.evaluate(() => [document.activeElement?.tagName.toLowerCase(), ...(document.activeElement?.classList ?? [])].join('.'));

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

  test('a dropped and a pasted picture do the same, from any view, and a sign is given at once', async () => {
    const { page } = await visit('#/browse');
    double.delays.set('v1/encode', 300);
    for (const [hash, kind] of [['#/browse?label=boat', 'drop'], ['#/browse', 'paste'], ['#/review?level=near-duplicate&radius=2', 'drop'], ['#/map', 'paste']] as const) {
      await page.goto(page.url().replace(/#.*/, hash));
      await page.locator('.cell img, .trio, .canvas-room').first().waitFor();
      await give(page, kind, pictureOf(5));
      await page.getByText('Reading the picture…').waitFor();
      await hitsOf(page).first().waitFor();
      expect(page.url()).toMatch(/#\/search\?code=[0-9a-f]{8}$/); // nothing of what the other view meant by its own parameters
      await page.getByText('Reading the picture…').waitFor({ state: 'hidden' });
    }
    await page.goto(page.url().replace(/#.*/, '#/search?code=00000000&radius=20'));
    await give(page, 'drop', pictureOf(5));
    await page.waitForFunction(() => !location.hash.includes('00000000'));
    expect(page.url()).toContain('&radius=20');
  });

  test('an image whose name is no text is searched from by its id', async () => {
    const { page } = await visit('#/browse');
    await page.getByLabel('Go to no.').fill('89');
    await page.keyboard.press('Enter');
    await page.locator('[data-index="88"] img').click();
    await hitsOf(page).first().waitFor();
    expect(page.url()).toMatch(/#\/search\?id=89$/);
    await page.locator('.query .name').getByText('0000089.png').waitFor();
    expect(await page.locator('.query .frame img').count()).toBe(1);
    await page.goto(page.url().replace(/#.*/, '#/search?id=5000'));
    await expect.poll(() => page.locator('.results').getByRole('alert').textContent()).toContain('no image 5000');
    expect(await page.locator('.query .hex').count()).toBe(0); // the code of the image before
  });

  test('the focus goes to the hits, from the invitation as from a drawing', async () => {
    const { page } = await visit();
    await page.locator('.samples a').first().focus();
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
    await expect.poll(() => focusOf(page)).toBe('section.results');
    await page.goBack();
    for (let i = 0; i < 2; i++) {
      await page.getByRole('button', { name: 'Draw' }).focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => focusOf(page)).toBe('canvas');
      await page.keyboard.press(' ');
      for (let step = 0; step < 3 + i; step++) await page.keyboard.press('ArrowDown');
      const query = page.url();
      await page.getByRole('dialog', { name: 'Draw' }).getByRole('button', { name: 'Search' }).press('Enter');
      await expect.poll(() => page.url()).not.toBe(query);
      await expect.poll(() => focusOf(page)).toBe('section.results');
    }
  });

  test('while a drawing is read, the focus is back at the button', async () => {
    const { page } = await visit();
    double.delays.set('v1/encode', 2000);
    const draw = page.getByRole('button', { name: 'Draw' });
    await draw.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focusOf(page)).toBe('canvas');
    for (const key of [' ', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    await page.getByRole('dialog', { name: 'Draw' }).getByRole('button', { name: 'Search' }).press('Enter');
    await page.getByText('Reading the picture…').waitFor();
    expect(await draw.evaluate((button) => button === document.activeElement)).toBe(true);
    await hitsOf(page).first().waitFor();
  });

  test('keys with Ctrl, Alt or Meta are left to the browser', async () => {
    const { page, address } = await visit(kSearch);
    const left = async (key: string): Promise<void> => {
      await page.evaluate(() => {
        const seen = window as unknown as { taken: boolean; focused: Element | null };
        document.addEventListener('keydown', (event) => (seen.taken = event.defaultPrevented), { once: true });
        seen.focused = document.activeElement;
      });
      await page.evaluate(
        ([name, meta]) => document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: name, ctrlKey: meta === 'Control', altKey: meta === 'Alt', metaKey: meta === 'Meta', bubbles: true, cancelable: true })),
        key.split('+').reverse() as [string, string],
      );
      const [taken, moved] = await page.evaluate(() => {
        const seen = window as unknown as { taken: boolean; focused: Element | null };
        return [seen.taken, seen.focused !== document.activeElement];
      });
      expect([key, taken, moved]).toEqual([key, false, false]);
    };
    await hitsOf(page).first().focus();
    await left('Alt+ArrowRight');
    await page.getByRole('button', { name: 'Draw' }).click();
    await page.getByRole('dialog', { name: 'Draw' }).locator('canvas').focus();
    await left('Meta+ArrowLeft');
    await page.goto(`${address}#/browse`);
    await page.locator('[data-index="0"]').focus();
    await left('Control+End');
    await page.goto(`${address}#/map`);
    await page.getByRole('application').focus();
    for (const key of ['Control+-', 'Control+0', 'Alt+ArrowLeft']) await left(key);
    expect(await page.locator('.point-card').count()).toBe(0);
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
    double.delays.set('v1/search', 600);
    await double.start(Number(new URL(address).port));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(await page.locator('.results').getAttribute('aria-busy')).toBe('true'); // asked, and not answered yet
    expect(await focusOf(page)).toBe('section.results');
    await expect.poll(() => hitsOf(page).count()).toBe(9);
  });

  test('the collection is asked for again when the page comes into sight; where that fails the view stays', async () => {
    const { page } = await visit(kSearch);
    await hitsOf(page).first().waitFor();
    double.grow(1200);
    const comeBack = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await comeBack();
    await page.locator('.facts').getByText('1\u202f200 images').waitFor();
    double.faults.set('v1/collection', [500, 'Internal error', 'The disk has a mind of its own.']);
    await comeBack();
    expect(await page.getByRole('alert').textContent()).toContain('a mind of its own');
    expect(await hitsOf(page).count()).toBe(24);
    double.faults.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(await hitsOf(page).count()).toBe(24);
  });

  test('a busy service is asked again only when somebody says so', async () => {
    const { page } = await visit('', { images: 1000 });
    await page.getByRole('heading', { name: 'Find what looks alike' }).waitFor();
    double.faults.set('v1/collection', [503, 'Busy', 'All workers are taken.']);
    await page.reload();
    expect(await page.getByRole('alert').textContent()).toContain('All workers are taken.');
    await page.waitForTimeout(1000);
    expect(countOf('GET /v1/collection')).toBe(2); // one for each load of the page
    double.faults.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Find what looks alike' }).waitFor();
  });

  test('a service too busy for pictures is asked again when it says so', async () => {
    const { page } = await visit();
    double.faults.set('v1/thumbnails', [429, 'Too Many Requests', 'Wait and try again.', 1]);
    await page.goto(page.url() + kSearch);
    await hitsOf(page).first().waitFor();
    await expect.poll(() => countOf('GET /v1/thumbnails/1?size=192')).toBeGreaterThan(2); // by the <img>, by a request, and by that one again
    expect(await page.locator('.hit .missing').count()).toBe(0);
    double.faults.clear();
    await expect.poll(() => page.locator('.hit canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(48);
  });

  test('a service that wants a key gets one, pictures included', async () => {
    const { page } = await visit(kSearch, { key: 'open-sesame' });
    await page.getByRole('alert').getByRole('button', { name: 'Enter a key' }).click();
    await page.getByRole('dialog', { name: 'API key' }).getByLabel('Key').fill('open-sesame');
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
    await expect.poll(() => page.locator('.hit canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(48);
  });

  test('a browser that keeps nothing for the site: the page appears, takes a key and changes its colours', async () => {
    const { page, address } = await visit('', { key: 'open-sesame' });
    await page.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, name, { get: () => { throw new DOMException('storage is forbidden', 'SecurityError'); } });
      }
    });
    await page.goto(`${address}?again${kSearch}`);
    await page.getByRole('alert').getByRole('button', { name: 'Enter a key' }).click();
    await page.getByRole('dialog', { name: 'API key' }).getByLabel('Key').fill('open-sesame');
    await page.keyboard.press('Enter');
    await hitsOf(page).first().waitFor();
    await page.getByRole('button', { name: 'Use dark colours' }).click();
    await page.getByRole('button', { name: 'Use light colours' }).waitFor();
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
    await give(empty.page, 'drop', Buffer.from('hello'));
    expect(await empty.page.getByRole('alert').textContent()).toContain('The 5 bytes are no PNG');
    await empty.page.getByRole('button', { name: 'Dismiss' }).click();
    double.grow(500);
    await empty.page.getByRole('button', { name: 'Look again' }).click();
    await empty.page.locator('.samples img').first().waitFor();
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

  test('images that came while the page was out of sight are there when it is back', async () => {
    const { page } = await visit('#/browse', { images: 10 });
    await page.locator('[data-index="9"] img').waitFor();
    double.grow(15);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.locator('[data-index="14"] img').waitFor();
    expect(await page.locator('.bar [role="status"]').textContent()).toBe('15 images');
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
    await page.locator('[data-index="699"] img').waitFor();
    expect(await page.evaluate(() => document.querySelector('[data-index="699"]')!.getBoundingClientRect().y)).toBeGreaterThan(0);
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
  });

  test('the last image is at the end of a full window', async () => {
    const { page } = await visit('#/browse');
    await page.locator('[data-index="0"] img').waitFor();
    await page.getByLabel('Go to no.').fill('1000');
    await page.keyboard.press('Enter');
    await page.locator('[data-index="999"] img').waitFor();
    const grid = (await page.getByRole('grid').boundingBox())!;
    const last = (await page.locator('[data-index="999"]').boundingBox())!;
    const below = grid.y + grid.height - last.y - last.height;
    expect(below).toBeGreaterThanOrEqual(0);
    expect(below).toBeLessThan(30);
  });

  test('another label leaves the focus in the list of labels', async () => {
    const { page } = await visit('#/browse');
    await page.locator('[data-index="0"] img').waitFor();
    await page.getByLabel('Label').focus();
    await page.keyboard.press('b');
    await expect.poll(async () => [...new Set(await page.locator('.cell small').allTextContents())]).toEqual(['boat']);
    expect(await focusOf(page)).toBe('select');
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

  test('pictures that could not come are asked for again after a while, and not at every move', async () => {
    const { page } = await visit(kSearch, { images: 40 });
    await hitsOf(page).first().waitFor();
    double.faults.set('v1/thumbnails', [500, 'Internal error', 'The disk has a mind of its own.']);
    const begun = Date.now();
    await page.goto(page.url().replace(/#.*/, '#/map'));
    const box = (await page.getByRole('application').boundingBox())!;
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const asked = (): number => double.log.filter((line) => /thumbnails.*size=96/.test(line)).length; // the map's, not those of its card or of the search
    // Each picture rests for 3 s; a slow machine may need longer than that for what follows.
    const most = (): number => 40 * (1 + Math.floor((Date.now() - begun) / 3000));
    const wave = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await page.mouse.move(at.x + 20 * i, at.y);
    };
    await expect.poll(asked).toBe(40); // nothing moves yet
    await wave();
    await page.waitForTimeout(300);
    expect(asked()).toBeLessThanOrEqual(most());
    const refused = asked();
    double.faults.clear();
    const wavedAndAsked = async (): Promise<number> => {
      await wave();
      return asked();
    };
    await expect.poll(wavedAndAsked).toBe(refused + 40);
    await page.waitForTimeout(3500);
    await wave();
    await page.waitForTimeout(300);
    expect(asked()).toBe(refused + 40);
  });

  test('a service that is gone says so where a point is clicked', async () => {
    const { page } = await visit('#/map', { images: 40 });
    const canvas = page.getByRole('application');
    await canvas.focus();
    await page.keyboard.press('0');
    await page.locator('.point-card .key').waitFor();
    double.faults.set('v1/images', [500, 'Internal error', 'The disk has a mind of its own.']);
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').textContent()).toContain('a mind of its own');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await canvas.focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
    await page.locator('.point-card').getByText('Internal error').waitFor();
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

  test('a late picture is not awaited under the picture of before', async () => {
    const { page } = await visit('#/review');
    await page.getByText(/of the area differs|no visible difference/).waitFor();
    const shown = () =>
      page.evaluate(() => ({
        pictures: [...document.querySelectorAll<HTMLImageElement>('.trio img')].map((image) => image.naturalWidth),
        difference: document.querySelector<HTMLCanvasElement>('.trio canvas')!.width,
      }));
    await expect.poll(shown).toEqual({ pictures: [48, 48], difference: 48 });
    double.delays.set('v1/thumbnails', 3000);
    await page.keyboard.press('j');
    await page.getByText('2 of', { exact: false }).first().waitFor();
    expect(await shown()).toEqual({ pictures: [48, 0], difference: 1 }); // the keeper is the same
    await expect.poll(shown).toEqual({ pictures: [48, 48], difference: 48 });
  });

  test('a key that is held down says one thing about one pair; capitals count', async () => {
    const { page } = await visit('#/review');
    await page.locator('.trio canvas').waitFor();
    for (let i = 0; i < 4; i++) await page.keyboard.down('d'); // Playwright repeats a key that is down
    await page.keyboard.up('d');
    await expect.poll(() => double.verdicts.size).toBe(1);
    await page.keyboard.press('N');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': true, '1 17': false });
    await page.waitForTimeout(200);
    expect(countOf('PUT /v1/verdicts')).toBe(2);
  });

  test('buttons that are quicker than the service lose nothing', async () => {
    const { page } = await visit('#/review');
    await page.locator('.trio canvas').waitFor();
    double.delays.set('v1/verdicts', 300);
    // A step meanwhile would lead what waits to another pair.
    for (const name of ['Not a duplicate N', 'Duplicate D', 'Next pair', 'Undo U', 'Not a duplicate N']) await page.getByRole('button', { name, exact: true }).click();
    expect(await page.locator('.verdicts').getAttribute('aria-busy')).toBe('true');
    await expect.poll(() => countOf('PUT /v1/verdicts') + countOf('DELETE /v1/verdicts')).toBe(4);
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false, '1 17': false });
    await expect.poll(() => page.locator('.verdicts').getAttribute('aria-busy')).toBe('false');
  });

  test('a service that only reads is asked for no verdicts', async () => {
    const { page } = await visit('#/review', { writable: false });
    await page.getByText('only reads its collection').waitFor();
    for (const name of ['Duplicate D', 'Not a duplicate N', 'Undo U']) expect(await page.getByRole('button', { name, exact: true }).isDisabled()).toBe(true);
    for (const key of 'dnuj') await page.keyboard.press(key);
    await page.getByText('2 of', { exact: false }).first().waitFor();
    expect(double.log.filter((line) => line.includes('verdicts'))).toEqual([]);
  });

  test('the radius is dragged, and a level chosen, without losing hold; no answer stands for another', async () => {
    const { page } = await visit('#/review');
    const slider = page.getByRole('slider', { name: 'Radius' });
    await page.locator('.trio canvas').waitFor();
    expect(await slider.getAttribute('max')).toBe('16'); // half of the bits, which is what the service takes
    const box = (await slider.boundingBox())!;
    const value = async (): Promise<number> => Number(await slider.inputValue());
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2, { steps: 4 });
    await expect.poll(() => page.url()).toContain(`radius=${await value()}`);
    const rested = await value();
    await page.waitForTimeout(200);
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    expect(await value()).toBeGreaterThan(rested);
    await expect.poll(() => page.url()).toContain(`radius=${await value()}`);
    await page.locator('.trio canvas').waitFor();
    double.delays.set('v1/duplicates', 600);
    await page.getByLabel('Level').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('Looking for duplicates…').waitFor();
    expect(await page.locator('.trio').count()).toBe(0);
    await page.locator('.trio canvas').waitFor();
    expect(page.url()).toContain('level=same-pixels');
    expect(await focusOf(page)).toBe('select');
  });

  test('a level that is left and chosen again before the other has come is asked for anew', async () => {
    const { page } = await visit('#/review');
    await page.locator('.trio').getByText('0000009.png').waitFor();
    await page.keyboard.press('n');
    await expect.poll(() => Object.fromEntries(double.verdicts)).toEqual({ '1 9': false });
    double.delays.set('v1/duplicates', 1000);
    await page.getByLabel('Level').selectOption('same-pixels');
    await page.getByText('Looking for duplicates…').waitFor();
    await page.getByLabel('Level').selectOption('near-duplicate');
    await expect.poll(() => page.locator('.steps').textContent()).toContain('1 of 54'); // of 55 before
    expect(await page.locator('.trio').getByText('0000009.png').count()).toBe(0);
  });

  test('more groups: asking shows, and none that are left say so', async () => {
    const { page } = await visit('#/review', { images: 2000 });
    await page.locator('.trio canvas').waitFor();
    for (let i = 0; i < 67; i++) await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'End of the list' }).waitFor();
    double.faults.set('v1/duplicates', [503, 'Service Unavailable', 'Groups are being looked for.', 1]);
    await page.getByRole('button', { name: 'Load more groups' }).click();
    expect(await page.getByRole('button', { name: 'Looking for more groups…' }).getAttribute('aria-disabled')).toBe('true');
    expect(await focusOf(page)).toBe('button.primary');
    for (let g = 50; g < 60; g++) for (const other of [9, 17]) double.verdicts.set(`${24 * g + 1} ${24 * g + other}`, false);
    double.faults.clear();
    await page.getByRole('button', { name: /more groups/ }).waitFor({ state: 'detached' });
    await expect.poll(() => page.locator('.decide > .unseen').textContent()).toContain('no more groups');
  });

  test('what is said while more groups come is about none of them', async () => {
    const { page } = await visit('#/review', { images: 2000 });
    await page.locator('.trio canvas').waitFor();
    for (let i = 0; i < 67; i++) await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'End of the list' }).waitFor();
    double.faults.set('v1/duplicates', [503, 'Service Unavailable', 'Groups are being looked for.', 1]); // they come when the key is through
    await page.getByRole('button', { name: 'Load more groups' }).click();
    await page.getByRole('button', { name: 'Looking for more groups…' }).waitFor();
    await page.keyboard.press('d');
    double.faults.clear();
    await page.locator('.trio').waitFor();
    await page.waitForTimeout(200);
    expect(countOf('PUT /v1/verdicts')).toBe(0);
  });

  test('a verdict that the service refuses is not counted', async () => {
    const { page } = await visit('#/review');
    await page.locator('.trio canvas').waitFor();
    double.faults.set('v1/verdicts', [403, 'Not allowed', 'This key may only read.']);
    await page.keyboard.press('d');
    expect(await page.getByRole('alert').textContent()).toContain('This key may only read.');
    expect(await page.getByRole('button', { name: 'Enter a key' }).count()).toBe(0); // to a service without keys none would help
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
    await page.getByRole('button', { name: 'Use dark colours' }).click(); // the system's wish: it is followed again
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
    expect(await paper()).toBe('rgb(251, 250, 248)');
  });

  test.each(['light', 'dark'] as const)('fields and key caps stand out, %s', async (colorScheme) => {
    const { page } = await visit('#/review', {}, { colorScheme });
    await page.locator('.trio').waitFor();
    const contrasts = await page.evaluate(() => {
      const parts = (colour: string) => colour.match(/[\d.]+/g)!.slice(0, 3).map(Number);
      const luminance = (colour: number[]) => {
        const [r, g, b] = colour.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (a: number[], b: number[]) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
      const field = getComputedStyle(document.querySelector('select')!);
      const button = getComputedStyle(document.querySelector('button.primary')!);
      const opacity = Number(getComputedStyle(document.querySelector('button.primary kbd')!).opacity);
      const ground = parts(button.backgroundColor);
      const cap = parts(button.color).map((c, i) => c * opacity + ground[i]! * (1 - opacity));
      return {
        inside: contrast(parts(field.borderColor), parts(field.backgroundColor)),
        outside: contrast(parts(field.borderColor), parts(getComputedStyle(document.body).backgroundColor)),
        cap: contrast(cap, ground),
      };
    });
    expect(contrasts.inside).toBeGreaterThan(3);
    expect(contrasts.outside).toBeGreaterThan(3);
    expect(contrasts.cap).toBeGreaterThan(4.5);
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
        [...document.querySelectorAll('button, a, input, select, canvas:not([role=presentation]), svg[role], img, [role=grid]')]
          .filter((element) => {
            const input = element as HTMLInputElement;
            // What a list offers is not its name.
            const text = element.getAttribute('aria-label') ?? element.getAttribute('alt') ?? (element instanceof HTMLSelectElement ? '' : element.textContent);
            if (element instanceof HTMLImageElement) return !element.hasAttribute('alt');
            return !(text?.trim() || element.getAttribute('title') || [...(input.labels ?? [])].some((label) => label.textContent?.trim()));
          })
          .map((element) => element.outerHTML.slice(0, 120)),
      );
      expect(nameless).toEqual([]);
    }
  });
});

// A headless Chromium of the distribution, and pages that remember what went wrong in them.
import { existsSync, mkdirSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export function launch(): Promise<Browser> {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );
  if (!executablePath) throw new Error('there is no Chromium: install the package chromium, or name the program in CHROMIUM');
  // Chromium refuses to be root inside its sandbox; these tests open nothing but their own server.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

export interface Tab {
  page: Page;
  /** Errors of scripts and of the content policy; refused requests, which some tests provoke, are not among them. */
  faults: string[];
  close: () => Promise<void>;
}

export async function open(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  page.on('request', (request) => {
    // A page from disk has no host: it asks for itself and for what it holds, nothing else.
    const own = address.startsWith('file:') ? [address, 'data:'] : [new URL(address).origin];
    if (!own.some((start) => request.url().startsWith(start))) faults.push(`asked another host: ${request.url()}`);
  });
  await page.goto(address);
  return { page, faults, close: () => context.close() };
}

/** Saves what the page looks like where SIGNET_SHOTS names a folder; a person looks at them. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SIGNET_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.waitForTimeout(400); // pictures fade in; nothing is checked here
  await page.screenshot({ path: `${folder}/${name}.png` });
}

export interface Look {
  /** Luminance of the top left pixel, 0 to 255: the paper. */
  paper: number;
  /** Share of pixels that are clearly not the paper. */
  ink: number;
  /** How many of twelve hues at least one of 2,000 pixels has, in a strong colour. */
  hues: number;
}

/** What a screenshot shows, counted from its pixels; `of` draws it, a page that no policy keeps from decoding a picture. */
export async function look(browser: Browser, of: { screenshot: () => Promise<Buffer> }): Promise<Look> {
  const png = (await of.screenshot()).toString('base64');
  const page = await browser.newPage();
  try {
    return await page.evaluate(async (data) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
      context.drawImage(bitmap, 0, 0);
      const { data: rgba } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      const luminance = (i: number) => 0.299 * rgba[i]! + 0.587 * rgba[i + 1]! + 0.114 * rgba[i + 2]!;
      const pixels = rgba.length / 4, paper = luminance(0);
      const strong = new Array<number>(12).fill(0);
      let ink = 0;
      for (let i = 0; i < rgba.length; i += 4) {
        if (Math.abs(luminance(i) - paper) > 40) ++ink;
        const [r, g, b] = [rgba[i]!, rgba[i + 1]!, rgba[i + 2]!];
        const most = Math.max(r, g, b), range = most - Math.min(r, g, b);
        if (range < 0.4 * most || most < 60) continue;
        const sixth = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
        ++strong[Math.floor((((sixth + 6) % 6) * 2) % 12)]!;
      }
      return { paper, ink: ink / pixels, hues: strong.filter((n) => n > pixels / 2000).length };
    }, png);
  } finally {
    await page.close();
  }
}

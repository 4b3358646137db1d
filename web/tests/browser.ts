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

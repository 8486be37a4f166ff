/** `npm run screenshots`: the pictures of docs/images, of a bot that liquidates on the local chain. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { demoBorrowers } from '../../devnet/borrowers/borrowers.js';
import { openElsewhere } from '../../devnet/demo/elsewhere.js';
import { Follower, playScenario } from '../../devnet/demo/run.js';
import { Narrator } from '../../devnet/demo/narrator.js';
import { Stack } from '../../devnet/stack/stack.js';
import { openBrowser } from '../../testing/browser/chromium.js';
import { runToTheEnd } from '../groups.js';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const BORROWERS = 50;
const BLOCK_MS = 400;
/** For the page to be told everything, and to draw it. */
const CALM_MS = 6_000;

const progress = (step: string): void => void process.stderr.write(`  … ${step}\n`);

interface Picture {
  readonly name: string;
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
  /** What is pressed before. */
  readonly opens?: string;
}

const PICTURES: readonly Picture[] = [
  { name: 'dashboard', colorScheme: 'light', width: 1280, height: 1080 },
  { name: 'dashboard-dark', colorScheme: 'dark', width: 1280, height: 1080 },
  { name: 'dashboard-phone', colorScheme: 'dark', width: 390, height: 844 },
  { name: 'execution', colorScheme: 'light', width: 1280, height: 900, opens: 'td button.link' },
];

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const { name, colorScheme, width, height, opens } = picture;
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(url);
  await page.locator('td.won').first().waitFor();
  if (opens !== undefined) await page.locator(opens).first().click();
  await page.waitForTimeout(CALM_MS);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  await page.close();
  progress(`docs/images/${name}.png`);
}

async function screenshots(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const stack = await Stack.start({ borrowers: demoBorrowers(BORROWERS), onProgress: progress });
  const browser = await openBrowser();
  try {
    await openElsewhere(stack.devnet);
    await stack.devnet.startMining(BLOCK_MS);
    const follower = new Follower();
    await stack.startBot((event) => follower.hear(event), { beside: ['compound', 'morpho'] });
    const silent = new Narrator(() => undefined, new Map(), false);
    await playScenario(stack, follower, silent, () => false);
    for (const picture of PICTURES)
      await take(browser, `${stack.apiUrl}/dashboard#key=${stack.keys.operator}`, picture);
  } finally {
    await browser.close();
    await stack.stop();
  }
}

await runToTheEnd('screenshots', screenshots);

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_SCENARIO, demoBorrowers, playStep } from '../../devnet/index.js';
import { Follower } from '../../devnet/demo/run.js';
import { Stack } from '../../devnet/stack/stack.js';
import { openBrowser } from '../../testing/browser/chromium.js';
import { openPage } from '../../src/watch/open-page.js';
import { eventually } from '../../testing/eventually.js';

const BLOCK_MS = 250;
const BUILT = 'dist/dashboard/assets';
const MOST_SCRIPT_BYTES = 80 * 1024;

/** Runs in the page: what moved although the reader did nothing. */
const NOTE_SHIFTS = `
  globalThis.shifted = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      shifted.push(value + ' ' + sources.map(({ node }) => (node?.outerHTML ?? node?.parentElement?.outerHTML)?.slice(0, 120)));
  }).observe({ type: 'layout-shift', buffered: true });
`;

/** The page in a real browser, in front of a real bot that liquidates on a real chain. */
describe('the dashboard in a browser', () => {
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** Of the bot; it comes back at the same place. */
  let origin: string;
  const follower = new Follower();
  /** What the console said, and what the page asked of other hosts. */
  let complaints: string[];

  beforeAll(async () => {
    const [started, opened] = await Promise.all([
      Stack.start({ borrowers: demoBorrowers(20) }),
      openBrowser(),
    ]);
    stack = started;
    browser = opened;
    await stack.startBot((event) => follower.hear(event));
    origin = stack.apiUrl;
    await stack.devnet.startMining(BLOCK_MS);
  });
  afterAll(async () => {
    await browser.close();
    await stack.stop();
  });

  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      const asked = request.url();
      if (!asked.startsWith(`${origin}/`) && !asked.startsWith('data:')) complaints.push(asked);
    });
  });
  afterEach(() => context.close());

  const url = (key?: string): string => `${origin}/dashboard${key === undefined ? '' : `#key=${key}`}`;
  const state = () => page.locator('.state strong');
  const says = async (text: string | RegExp): Promise<void> => {
    await page.getByText(text).first().waitFor();
  };

  it('the file that a run opens in the browser leads to the page, with its key', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'chimera-page-'));
    const variable = (name: string): string | undefined => (name === 'DISPLAY' ? ':0' : undefined);
    try {
      openPage(url(stack.keys.viewer), directory, { platform: 'linux', variable });
      const other = await context.newPage();
      await other.goto(pathToFileURL(join(directory, 'dashboard.html')).href);
      await other.getByText('NORMAL').first().waitFor();
      expect(other.url()).toBe(url());
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('a fall of prices: the liquidations arrive by themselves, and their sums are those of the database', async () => {
    await page.goto(url(stack.keys.viewer));
    await says('NORMAL');
    const rows = page.locator('section[aria-label="Executions"] tbody tr');
    expect(await rows.count()).toBe(0);
    for (const step of DEMO_SCENARIO.slice(0, 2)) await playStep(stack.devnet, step);
    const fallen = await stack.devnet.provider.getBlockNumber();
    await eventually(() => follower.quietSince(fallen), 'everything to be settled');
    const [sums] = await stack.query<{ won: string; profit: string }>(
      `SELECT count(*) AS won, trunc(sum(realised_profit_usd), 2) AS profit FROM executions WHERE outcome = 'won'`,
    );
    expect(Number(sums?.won)).toBeGreaterThan(0);
    const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });
    const realised = page.locator('section[aria-label="Profit"] dd').nth(1);
    await eventually(
      async () => (await realised.textContent()) === dollars.format(Number(sums?.profit)),
      'the realised profit of the database',
    );
    await eventually(
      async () => (await page.locator('td.won').count()) === Number(sums?.won),
      'a row for each of them',
    );
    // The head goes on without a reload.
    const head = page.locator('.head span').first();
    const before = await head.textContent();
    await eventually(async () => (await head.textContent()) !== before, 'the next head');
    expect(complaints).toEqual([]);
  });

  it('an execution is explained: position, route, costs, outcome, and everything it was decided with', async () => {
    await page.goto(url(stack.keys.viewer));
    await page.locator('td button.link').first().click();
    const dialog = page.getByRole('dialog').filter({ hasText: 'Execution' });
    await dialog.waitFor();
    for (const subject of ['position', 'health', 'candidate', 'route', 'costs', 'profit'])
      expect(await dialog.locator('dt', { hasText: subject }).count(), subject).toBeGreaterThan(0);
    await dialog.locator('summary').click();
    expect(await dialog.locator('pre').textContent()).toContain('"candidate"');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(complaints).toEqual([]);
  });

  it('an operator halts and resumes: by the keyboard, with a reason that the audit trail has', async () => {
    await page.goto(url(stack.keys.operator));
    await page.getByRole('button', { name: 'Halt…' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('a look at the pools');
    await page.keyboard.press('Enter');
    await eventually(async () => (await state().textContent()) === 'HALTED', 'the halt on the page');
    const { body } = await stack.api('/api/v1/status');
    expect(body).toMatchObject({ safety: { state: 'HALTED', reason: 'a look at the pools' } });
    await page.getByRole('button', { name: 'Resume…' }).click();
    await page.getByLabel('Reason, for the audit trail').fill('the pools are well');
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await eventually(async () => (await state().textContent()) === 'NORMAL', 'the resume on the page');
    const trail = await stack.query<{ reason: string }>(
      'SELECT reason FROM operator_actions ORDER BY id DESC LIMIT 2',
    );
    expect(trail.map(({ reason }) => reason)).toEqual(['the pools are well', 'a look at the pools']);
    expect(complaints).toEqual([]);
  });

  it('a halt by another door is shown at once, with its reason as text, not as a part of the page', async () => {
    await page.goto(url(stack.keys.viewer));
    await says('NORMAL');
    const reason = '<img src=x onerror=alert(1)> "quoted"';
    await stack.api('/api/v1/safety/halt', { body: { reason } });
    await says(reason);
    expect(await page.locator('img').count()).toBe(0);
    await stack.api('/api/v1/safety/resume', { body: { reason: 'over' } });
    await eventually(async () => (await state().textContent()) === 'NORMAL', 'the resume');
    expect(complaints).toEqual([]);
  });

  it('with the key of a viewer, halt cannot be pressed, and the page says why', async () => {
    await page.goto(url(stack.keys.viewer));
    await says('With the key of a viewer you look; an operator halts and resumes.');
    expect(await page.getByRole('button', { name: 'Halt…' }).isDisabled()).toBe(true);
  });

  it('a wrong key: one sentence, the form again, and nothing of the bot; the right one then opens', async () => {
    await page.goto(url());
    await page.getByLabel(/^A key of api\.keys/).fill('a-wrong-key');
    await page.getByRole('button', { name: 'Open' }).click();
    await says('a valid API key is needed, sent as "Authorization: Bearer <key>"');
    expect(await page.content()).not.toContain('Endpoints');
    await page.getByLabel(/^A key of api\.keys/).fill(stack.keys.viewer);
    await page.getByRole('button', { name: 'Open' }).click();
    await says('NORMAL');
    // Chromium itself notes a 401.
    expect(complaints.filter((one) => !one.includes('401'))).toEqual([]);
  });

  it('the key stays in the tab: not in the address, and not in what the page keeps for later', async () => {
    await page.goto(url(stack.keys.viewer));
    await says('NORMAL');
    expect(page.url()).toBe(url());
    expect(await page.evaluate('JSON.stringify({ ...localStorage }) + document.cookie')).toBe('{}');
    await page.reload();
    await says('NORMAL');
  });

  it('the bot goes away and comes back: the page says so, keeps what it had, and goes on', async () => {
    await page.goto(url(stack.keys.viewer));
    await says('NORMAL');
    await stack.bot?.stop();
    await says(/^The bot does not answer/);
    expect(await page.locator('td.won').count()).toBeGreaterThan(0);
    await stack.startBot((event) => follower.hear(event), { apiPort: Number(new URL(origin).port) });
    await eventually(
      async () => (await page.getByText(/^The bot does not answer/).count()) === 0,
      'its return',
    );
    await says('NORMAL');
  });

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)(
    'in %s at a width of %i pixels nothing moves and nothing is cut off',
    async (colorScheme, width) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.addInitScript({ content: NOTE_SHIFTS });
      await page.goto(url(stack.keys.viewer));
      await says('NORMAL');
      await page.locator('td.won').first().waitFor();
      // Two more blocks, so that all panels have been told again.
      const head = page.locator('.head span').first();
      for (let times = 0; times < 2; times++) {
        const before = await head.textContent();
        await eventually(async () => (await head.textContent()) !== before, 'the next head');
      }
      expect(await page.evaluate('shifted')).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
    },
  );

  it('its scripts are below 80 KB, compressed, and without a word of another host', () => {
    const scripts = readdirSync(BUILT).filter((name) => name.endsWith('.js'));
    const texts = scripts.map((name) => readFileSync(`${BUILT}/${name}`));
    expect(scripts.length).toBeGreaterThan(0);
    expect(texts.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThan(MOST_SCRIPT_BYTES);
    const hosts = texts.join('\n').match(/https?:\/\/(?!www\.w3\.org\/)[\w.-]+/g) ?? [];
    expect(hosts).toEqual([]);
  });
});

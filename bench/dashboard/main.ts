/** `npm run bench:dashboard`: the page in a browser, with many positions and fast blocks. */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { WAD } from '../../src/domain/money.js';
import { startApi, VIEWER_KEY, type ApiApp } from '../../testing/api-app.js';
import { aNearPosition } from '../../testing/builders/near.js';
import { openBrowser } from '../../testing/browser/chromium.js';
import { Random } from '../../testing/random.js';
import { runToTheEnd } from '../groups.js';
import type { Measurement } from '../measurement.js';

const MANY = 10_000;
const FEW = 10;
const BLOCK_MS = 200;
const LOOK_MS = 10_000;
const FIRST_PAINTS = 5;

const HELP = `npm run bench:dashboard -- [options]

  The page in Chromium, with ${MANY} positions that move in each block, and five blocks a second.

  --json           print one JSON array, as the only line
  --help           this text`;

const progress = (step: string): void => void process.stderr.write(`  … ${step}\n`);

/** One task of the page's main thread. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds by the clock, and of the processor: on a busy machine the second says more. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The positions of a block: each health factor moves a little around its place. */
function positionsOf(count: number, random: Random): ReturnType<typeof aNearPosition>[] {
  const spread = WAD / 10n;
  return Array.from({ length: count }, (_, place) =>
    aNearPosition(place, {
      healthFactorWad:
        WAD - spread / 20n + (spread * BigInt(place)) / BigInt(count) / 2n + random.below(WAD / 1_000n),
      totalDebtUsd8: random.magnitude(10n ** 15n),
    }),
  );
}

/** Moves the chain on, five times a second. */
function fastBlocks(api: ApiApp, count: number): NodeJS.Timeout {
  const random = new Random(7);
  const blocks = Array.from({ length: 5 }, () => positionsOf(count, random));
  let number = 100;
  return setInterval(() => {
    number += 1;
    api.world.near = blocks[number % blocks.length] ?? [];
    const timestamp = Math.floor(Date.now() / 1_000);
    api.world.bot = {
      ...api.world.bot,
      ...{ positions: count, watched: count },
      head: { number, hash: `0x${number.toString(16).padStart(64, '0')}`, timestamp },
    };
  }, BLOCK_MS);
}

async function opened(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.getByText('NORMAL').first().waitFor();
  return page;
}

/** The tasks of the page's main thread for a while, in processor milliseconds, and how many blocks came. */
async function tasksOf(browser: Browser, url: string): Promise<{ tasks: number[]; updates: number }> {
  const page = await opened(browser, url);
  await page.waitForTimeout(3_000);
  const head = page.locator('.head span').first();
  const headNow = async (): Promise<number> => Number((await head.textContent())?.replace(/\D/g, ''));
  const before = await headNow();
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] });
  await page.waitForTimeout(LOOK_MS);
  const { traceEvents: events } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const updates = (await headNow()) - before;
  await page.close();
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const tasks = events.flatMap(({ name, ph, pid, tid, dur = 0, tdur = dur }) =>
    ph === 'X' && /RunTask$/.test(name) && mains.some((one) => one.pid === pid && one.tid === tid)
      ? [tdur / 1_000]
      : [],
  );
  if (tasks.length === 0 || updates <= 0)
    throw new Error('the browser told of no task, or the head stood still');
  return { tasks, updates };
}

async function firstPaints(browser: Browser, url: string): Promise<number[]> {
  const paints: number[] = [];
  for (let times = 0; times < FIRST_PAINTS; times++) {
    // A context of its own has no cache.
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await page.getByText('NORMAL').first().waitFor();
    paints.push(
      Number(
        await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"),
      ),
    );
    await context.close();
  }
  return paints.sort((a, b) => a - b);
}

async function measured(): Promise<Measurement[]> {
  const browser = await openBrowser();
  const results: { readonly longest: number; readonly perUpdate: number; readonly paint: number }[] = [];
  try {
    for (const count of [FEW, MANY]) {
      progress(`${count} positions, a block each ${BLOCK_MS} ms`);
      const api = await startApi();
      const blocks = fastBlocks(api, count);
      try {
        const { port } = api.server.address() as AddressInfo;
        const url = `http://127.0.0.1:${port}/dashboard#key=${VIEWER_KEY}`;
        const { tasks, updates } = await tasksOf(browser, url);
        const paints = await firstPaints(browser, url);
        results.push({
          longest: Math.max(...tasks),
          perUpdate: tasks.reduce((sum, one) => sum + one, 0) / updates,
          paint: paints[Math.floor(paints.length / 2)] ?? NaN,
        });
      } finally {
        clearInterval(blocks);
        await api.close();
      }
    }
  } finally {
    await browser.close();
  }
  const [few, many] = results;
  if (!few || !many) throw new Error('a measurement is missing');
  const of = (name: 'longest' | 'perUpdate' | 'paint', about: string): Measurement => ({
    name: `dashboard.${name}`,
    value: Math.round(many[name] * 10) / 10,
    unit: 'ms',
    note: `${about}; ${(many[name] / few[name]).toFixed(1)} times that with ${FEW} positions`,
  });
  return [
    of('perUpdate', `main thread for each told block, ${MANY} positions`),
    of('longest', 'the longest task of the main thread'),
    of('paint', `first contentful paint without a cache, the middle of ${FIRST_PAINTS}`),
  ];
}

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const measurements = await measured();
  if (values.json) console.log(JSON.stringify(measurements));
  else
    for (const { name, value, unit, note } of measurements)
      console.log(`${name.padEnd(22)} ${value} ${unit}   ${note}`);
}

await runToTheEnd('bench:dashboard', bench);

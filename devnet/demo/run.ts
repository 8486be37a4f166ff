/**
 * Plays the scenario against a running stack: after each step it waits until the bot has nothing left to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotEvent } from '../../src/domain/events/events.js';
import { DEMO_SCENARIO, playStep } from '../prices/scenario.js';
import type { Stack } from '../stack/stack.js';
import { openAtTheEdge } from './elsewhere.js';
import type { Narrator } from './narrator.js';

const WAD = 10n ** 18n;
/** A step is over when the bot has passed this many blocks without planning, sending or settling anything. */
const QUIET_BLOCKS = 4;
/** A step that is not over by then is a failure of the bot. */
const STEP_DEADLINE_MS = 90_000;

/**
 * Follows what the bot says, so that the next step of the market waits until the bot has dealt with this one.
 */
export class Follower {
  readonly lastReasons = new Map<string, string>();
  /** Borrowers with a transaction that came to its end, in lower case. */
  readonly settled = new Set<string>();
  readonly #inFlight = new Set<string>();
  /** The block of the last thing that the bot did. */
  #busyAt = 0;
  #passedBlock = 0;

  hear(event: BotEvent): void {
    switch (event.event) {
      case 'pass':
        this.#passedBlock = event.block;
        if (event.planned > 0) this.#busyAt = event.block;
        break;
      case 'plan-ready':
        this.#busyAt = Math.max(this.#busyAt, event.block);
        this.lastReasons.delete(event.borrower.toLowerCase());
        break;
      case 'transaction-sent':
        this.#inFlight.add(event.executionId);
        break;
      case 'execution-settled':
        this.#inFlight.delete(event.executionId);
        this.settled.add(event.borrower.toLowerCase());
        this.#busyAt = Math.max(this.#busyAt, event.block ?? 0);
        break;
      case 'position-skipped':
        this.lastReasons.set(event.borrower.toLowerCase(), event.reason);
        break;
      default:
        break;
    }
  }

  /**
   * Whether nothing is on its way, and the bot has passed several blocks after `block` and done nothing.
   * What it has not looked at does not count: a bot that starts, or that is late, is not quiet. Needs a bot
   * that logs every pass, as the one of {@link Stack} does.
   */
  quietSince(block: number): boolean {
    return this.#inFlight.size === 0 && this.#passedBlock >= Math.max(block, this.#busyAt) + QUIET_BLOCKS;
  }
}

/**
 * @param stopped asked between steps: true ends the scenario early.
 * @returns the borrowers on Aave that were below a health factor of 1, in lower case.
 */
export async function playScenario(
  stack: Stack,
  follower: Follower,
  narrator: Narrator,
  stopped: () => boolean,
): Promise<ReadonlySet<string>> {
  const liquidatable = new Set<string>();
  for (const step of DEMO_SCENARIO) {
    if (stopped()) break;
    const before = await stack.devnet.prices();
    const after = await playStep(stack.devnet, step);
    const block = await stack.devnet.provider.getBlockNumber();
    narrator.marketMoved(step, before, after, block);
    for (const account of await belowOne(stack, block)) liquidatable.add(account);
    await quiet(follower, block, stopped);
  }
  return liquidatable;
}

/** No price moves: interest alone opens a position on Morpho Blue, which the bot must serve. */
export async function playInterest(
  stack: Stack,
  follower: Follower,
  narrator: Narrator,
  stopped: () => boolean,
): Promise<void> {
  const { account, name } = await openAtTheEdge(stack.devnet);
  narrator.name(account, name);
  const block = await stack.devnet.provider.getBlockNumber();
  narrator.heading(
    `Block ${block}: Interest. No price moves; a position on Morpho owes all that it may, less some seconds of interest.`,
  );
  const until = performance.now() + STEP_DEADLINE_MS;
  while (performance.now() < until && !stopped() && !follower.settled.has(account.toLowerCase()))
    await sleep(50);
  if (!stopped() && !follower.settled.has(account.toLowerCase()))
    throw new Error('the bot left a position that interest had opened for 90 s');
}

async function quiet(follower: Follower, since: number, stopped: () => boolean): Promise<void> {
  const until = performance.now() + STEP_DEADLINE_MS;
  while (performance.now() < until && !stopped()) {
    if (follower.quietSince(since)) return;
    await sleep(50);
  }
  if (!stopped()) throw new Error('the bot was still busy with a step of the market after 90 s');
}

/** Read from Aave itself, so that the bot is measured against the chain and not against its own log. */
async function belowOne(stack: Stack, block: number): Promise<string[]> {
  const getData = stack.devnet.contracts.aavePool.getFunction('getUserAccountData');
  const below = await Promise.all(
    stack.borrowers.map(async ({ account }) => {
      const data = (await getData(account, { blockTag: block })) as bigint[];
      return (data[5] ?? WAD) < WAD ? [account.toLowerCase()] : [];
    }),
  );
  return below.flat();
}

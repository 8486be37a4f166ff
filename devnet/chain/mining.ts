/**
 * Makes blocks. The node makes them by itself (automine, the default), or a timer of this library does, or
 * only mine() does. This library makes every block under one lock, so that it never asks for two blocks at
 * once.
 */
import { toQuantity } from 'ethers';
import { BASE_FEE_FLOOR_WEI } from '../parameters.js';
import type { RpcClient } from './rpc.js';

interface Timer {
  stopped: boolean;
  wake: () => void;
  done: Promise<void>;
}

export class Miner {
  /**
   * Base fee of the next blocks that mine() and the timer make, wei per gas. Anvil knows no floor and would
   * let the base fee of empty blocks fall to nothing, which Base does not. Set it to play a fee spike;
   * undefined leaves it to anvil.
   */
  baseFeeWei: bigint | undefined = BASE_FEE_FLOOR_WEI;

  #queue: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #waiting: (() => void)[] = [];

  constructor(private readonly rpc: RpcClient) {}

  /** True while the timer makes blocks. */
  get timed(): boolean {
    return this.#timer !== undefined;
  }

  /** Runs work while nothing else of this library makes blocks. Not re-entrant. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /**
   * As exclusive, and with automine off. Automine is restored afterwards, and what was sent meanwhile is
   * mined.
   */
  exclusiveWithoutAutomine<T>(work: () => Promise<T>): Promise<T> {
    return this.exclusive(async () => {
      const automine = await this.rpc.call('anvil_getAutomine');
      if (automine !== true) return work();
      await this.rpc.call('evm_setAutomine', [false]);
      try {
        return await work();
      } finally {
        await this.#restoreAutomine();
      }
    });
  }

  /** Makes n blocks. */
  async mine(blocks = 1): Promise<void> {
    await this.exclusive(async () => {
      for (let i = 0; i < blocks; i++) await this.mineOne();
    });
  }

  /** Makes one block; only for work that holds the lock. */
  async mineOne(): Promise<void> {
    if (this.baseFeeWei !== undefined) {
      await this.rpc.call('anvil_setNextBlockBaseFeePerGas', [toQuantity(this.baseFeeWei)]);
    }
    await this.rpc.call('evm_mine');
  }

  /**
   * Resolves after the timer's next block, or when the timer is stopped.
   * @throws {Error} what made the timer fail
   */
  nextTimedBlock(): Promise<void> {
    const block = new Promise<void>((resolve) => this.#waiting.push(resolve));
    return Promise.race([block, this.#timer?.done]);
  }

  /**
   * Turns automine off and makes a block every so many milliseconds, until stop(). Replaces a running timer.
   */
  async start(intervalMs: number): Promise<void> {
    await this.stop();
    await this.rpc.call('evm_setAutomine', [false]);
    const timer: Timer = { stopped: false, wake: () => undefined, done: Promise.resolve() };
    this.#timer = timer;
    timer.done = this.#run(timer, intervalMs);
    timer.done.catch(() => undefined); // reported by stop()
  }

  /**
   * Stops the timer, waits for a block under way, and turns automine back on. Does nothing when no timer
   * runs.
   * @throws {Error} what stopped the timer before, if it failed
   */
  async stop(): Promise<void> {
    if (!this.#timer) return;
    await this.#halt();
    await this.exclusive(() => this.#restoreAutomine());
  }

  /** Stops the timer for good, whatever state the node is in. */
  async abandon(): Promise<void> {
    await this.#halt().catch(() => undefined);
  }

  async #halt(): Promise<void> {
    const timer = this.#timer;
    if (!timer) return;
    this.#timer = undefined;
    timer.stopped = true;
    timer.wake();
    await timer.done;
  }

  async #run(timer: Timer, intervalMs: number): Promise<void> {
    let due = performance.now() + intervalMs;
    while (await sleptUntil(due, timer)) {
      await this.exclusive(() => this.mineOne());
      this.#wakeWaiting();
      // A late block does not delay the next ones, but a missed one is not made up for.
      due = Math.max(due + intervalMs, performance.now());
    }
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Automine mines only transactions that arrive after it was turned on. */
  async #restoreAutomine(): Promise<void> {
    await this.rpc.call('evm_setAutomine', [true]);
    const { pending } = (await this.rpc.call('txpool_status')) as { pending: string };
    if (BigInt(pending) > 0n) await this.mineOne();
  }
}

/** True when the time has come, false as soon as the timer is stopped. */
function sleptUntil(due: number, timer: Timer): Promise<boolean> {
  if (timer.stopped) return Promise.resolve(false);
  return new Promise((resolve) => {
    const handle = setTimeout(() => resolve(true), due - performance.now());
    timer.wake = () => {
      clearTimeout(handle);
      resolve(false);
    };
  });
}

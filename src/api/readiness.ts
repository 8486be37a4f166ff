import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, TypeOrmHealthIndicator, type HealthIndicatorResult } from '@nestjs/terminus';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { SafetyController } from '../safety/index.js';

/** Positions older than this must not be acted on: fifteen blocks of an L2, two and a half of mainnet. */
const STALE_AFTER_MS = 30_000;
const DATABASE_TIMEOUT_MS = 2_000;
/** The route is public. However often it is called, the database is asked once a second. */
const DATABASE_ANSWER_FOR_MS = 1_000;
/** Reasons come from operators and from errors. A public answer must not hold the address of a node. */
const ANY_URL = /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi;
const ANY_IP_ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g;
/** Of servers, as the messages of sockets and drivers name them. */
const ANY_SERVER = /\b(ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\s+\S+/g;

/**
 * Whether the bot can work, one condition at a time. All of it is public: no answer names a host or a key.
 */
@Injectable()
export class Readiness {
  constructor(
    private readonly health: HealthIndicatorService,
    private readonly bot: BotStatusReader,
    private readonly heads: HeadStream,
    private readonly safety: SafetyController,
    private readonly typeOrm: TypeOrmHealthIndicator,
    private readonly config: ChimeraConfig,
    private readonly clock: Clock,
  ) {}

  /** Down while the bot starts or stops. */
  phase(): HealthIndicatorResult {
    const { phase } = this.bot.status();
    const indicator = this.health.check('bot');
    return phase === 'running' ? indicator.up() : indicator.down(`the bot is ${phase}`);
  }

  /**
   * Always up: a stand-by is ready for reading, and ready to take over. `role` says whether this process
   * signs.
   */
  lease(): HealthIndicatorResult {
    const { role } = this.bot.status().lease;
    return this.health.check('lease').up({ role });
  }

  /** Down when no new block comes, when no pass runs, or when passes do not keep up with the chain. */
  head(): HealthIndicatorResult {
    const indicator = this.health.check('head');
    const stale = this.#staleBecause();
    return stale === undefined ? indicator.up() : indicator.down(stale);
  }

  /** Down while passes fail, or while one does not end: up again with the first that succeeds. */
  passes(): HealthIndicatorResult {
    const { failures } = this.bot.status();
    const { failedInARow, failingSinceMs, runningSinceMs = 0, lastError } = failures;
    const indicator = this.health.check('passes');
    if (!failures.serious) return indicator.up();
    if (failingSinceMs === undefined)
      return indicator.down({ message: `a pass has been running for ${seconds(runningSinceMs)} s` });
    return indicator.down({
      message: `${failedInARow} passes in a row have failed`,
      failedInARow,
      failingSinceMs: Math.round(failingSinceMs),
      lastError: publicText(lastError ?? ''),
    });
  }

  /** Down until it is proven that every borrower is known. */
  complete(): HealthIndicatorResult {
    const { incomplete, phase } = this.bot.status();
    const indicator = this.health.check('borrowers');
    // Before the first view, `phase` says all.
    if (phase === 'starting' || incomplete.length === 0) return indicator.up();
    const named = incomplete.map(({ market, missing }) => {
      const symbols = missing.map(({ symbol }) => symbol);
      return symbols.length === 0 ? market : `${market} (debts of ${symbols.join(', ')})`;
    });
    return indicator.down(`incomplete: not every borrower is known of ${named.join(', ')}`);
  }

  async database(): Promise<HealthIndicatorResult> {
    const { database } = await this.typeOrm
      .pingCheck('database')
      .withTimeout(DATABASE_TIMEOUT_MS)
      .cacheFor(DATABASE_ANSWER_FOR_MS);
    const indicator = this.health.check('database');
    // The driver's own message names the server.
    return database.status === 'up' ? indicator.up() : indicator.down('the database does not answer');
  }

  /** Down while HALTED, by an operator or by the bot. */
  notHalted(): HealthIndicatorResult {
    const { state, reason } = this.safety.status();
    const indicator = this.health.check('safety');
    return state === 'HALTED'
      ? indicator.down({ state, message: publicText(reason) })
      : indicator.up({ state });
  }

  /** Down when the wallet holds too little for sending. The public answer does not say how much it holds. */
  gas(): HealthIndicatorResult {
    const { operatorBalanceWei } = this.bot.status();
    const indicator = this.health.check('gas');
    const low =
      operatorBalanceWei !== undefined && operatorBalanceWei < this.config.safety.minOperatorBalanceWei;
    return low
      ? indicator.down('the operator wallet holds less than safety.minOperatorBalanceEth')
      : indicator.up();
  }

  #staleBecause(): string | undefined {
    const { head: newest } = this.heads.status;
    const { head: view, sinceLastPassMs = 0 } = this.bot.status();
    if (!newest || !view) return 'no block has been seen yet';
    const silentMs = this.clock.monotonicMs() - newest.receivedAtMs;
    if (silentMs > STALE_AFTER_MS) return `no new block for ${seconds(silentMs)} s`;
    if (sinceLastPassMs > STALE_AFTER_MS) return `no pass for ${seconds(sinceLastPassMs)} s`;
    // When passes fail, the positions stay at an old block while the chain goes on.
    const behindSeconds = newest.timestamp - view.timestamp;
    if (behindSeconds * 1000 > STALE_AFTER_MS)
      return `the positions are ${behindSeconds} s behind the newest block`;
    return undefined;
  }
}

function publicText(text: string): string {
  return text.replace(ANY_URL, '***').replace(ANY_SERVER, '$1 ***').replace(ANY_IP_ADDRESS, '***');
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}

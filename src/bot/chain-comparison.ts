import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { FailurePolicy } from '../safety/index.js';
import { DoubtedPositions } from '../state/doubted-positions.js';
import type { Comparison, FollowedAccounts } from '../state/followed.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { WriteQueue } from './write-queue.js';

/** One eth_call holds 250 calls of getUserAccountData: 130k gas each, below a node's usual cap of 50M. */
const READS_PER_CALL = 250;
/** For each second one market has its turn, in milliseconds. What is compared costs the same on any chain. */
const TURN_MS = 1_000;
/** A little less: a turn is not left out because a head comes early. */
const LEAST_MS = 900;
/** Milliseconds between two lines about positions that are only suspected. */
const SUSPICION_EVERY_MS = 60_000;

const CONTRADICTED = { logs: 'more was moved than our books held' };

type Divergence = Comparison['divergences'][number];
type Found = readonly { readonly market: FollowedAccounts; readonly found: Comparison }[];

/**
 * Compares the state with the chain after a pass. It runs beside the next pass, so no head waits for it. No
 * decision waits for it either: it finds errors of our books, which stay until they are found. So it asks by
 * the clock, and not at each block: each second all prices, and the accounts of one market by turns, in one
 * eth_call. While an account is in doubt, its market is compared at each block.
 *
 * An account that differs gets a second look, at every endpoint and at the next block. Where two endpoints
 * must agree about plans, they must agree about this as well: one of them may have invented the block. Then
 * it is set aside, stored, and read again from the chain. The bot halts only when many differ, see
 * {@link DoubtedPositions}. A wrong price is read by a call from now on.
 */
@Injectable()
export class ChainComparison {
  private running: Promise<void> | undefined;
  private suspicionSaidAtMs = Number.NEGATIVE_INFINITY;
  /** When the last comparison began that was answered: monotonic milliseconds. */
  private comparedAtMs = Number.NEGATIVE_INFINITY;
  /** How many accounts of each market were compared, when some were. */
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly state: StateEngine,
    private readonly doubts: DoubtedPositions,
    private readonly writes: WriteQueue,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  /** Begins to compare a view, unless a comparison is still under way, or none is due. */
  begin(view: StateView): void {
    if (this.running) return;
    const sinceMs = this.clock.monotonicMs() - this.comparedAtMs;
    const turns = sinceMs < LEAST_MS ? 0 : Math.round(sinceMs / TURN_MS);
    if (turns === 0 && this.doubts.isEmpty) return;
    this.running = this.compare(view, turns)
      .catch((error: unknown) => this.policy.failed(error, view.block.number))
      .then(() => {
        this.running = undefined;
      });
  }

  /** Resolves when no comparison is under way. Never rejects. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** @param turns as many as seconds have passed since the last one. */
  private async compare(view: StateView, turns: number): Promise<void> {
    const atMs = this.clock.monotonicMs();
    const budget = { calls: READS_PER_CALL, chunk: READS_PER_CALL, turns };
    const all = await this.state.compare(view, budget, (market) => this.doubts.of(market));
    // When the state had moved on, or the node did not answer, the next pass tries again.
    if (turns > 0 && all.length > 0) this.comparedAtMs = atMs;
    for (const { market, account } of this.doubts.takeContradicted())
      this.record(market, { account, detail: CONTRADICTED }, view.block);
    this.distrustWrongPrices(all, view.block);
    for (const { market, found } of all) {
      const { divergences, compared } = found;
      if (compared.length > 0) this.counts.set(market.name, compared.length);
      this.release(market, found, view.block);
      if (divergences.length > 0) await this.lookAgain(view, market, divergences);
    }
    const reason = this.doubts.tooMany([...this.counts.values()].reduce((sum, count) => sum + count, 0));
    if (reason === undefined) return;
    await this.policy.halt(reason, 'books');
    this.doubts.countAnew();
  }

  /** Positions about which chain and books agree again, and positions that do not exist any more. */
  private release(market: FollowedAccounts, { compared, divergences }: Comparison, { number }: Block): void {
    const different = new Set(divergences.map(({ account }) => account));
    const equal = new Set(compared.filter((account) => !different.has(account)));
    for (const account of this.doubts.of(market.name)) {
      const isGone = market.isWhole && !market.has(account);
      if (!(equal.has(account) || isGone) || !this.doubts.agrees(market.name, account)) continue;
      this.events.emit({ event: 'position-released', protocol: market.name, account, block: number });
    }
  }

  private async lookAgain(
    view: StateView,
    market: FollowedAccounts,
    divergences: readonly Divergence[],
  ): Promise<void> {
    const accounts = divergences.map(({ account }) => account);
    // While the second one is silent nothing is signed either.
    const needed = this.config.rpc.secondOpinion ? 2 : 1;
    const confirmed = await this.state.lookAgain(view, market, accounts, needed);
    const { block } = view;
    const toRead: Divergence['account'][] = [];
    for (const divergence of confirmed) {
      const { account } = divergence;
      const doubt = this.doubts.differs(market.name, account, block.number);
      if (doubt !== 'suspected') toRead.push(account);
      if (doubt === 'set-aside') this.record(market.name, divergence, block);
    }
    if (toRead.length < divergences.length) this.suspect(market.name, accounts, block);
    if (toRead.length > 0) await this.state.refresh(market.name, toRead);
  }

  private suspect(market: string, accounts: readonly string[], { number }: Block): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.suspicionSaidAtMs < SUSPICION_EVERY_MS) return;
    this.suspicionSaidAtMs = nowMs;
    this.events.emit({ event: 'positions-suspected', market, block: number, accounts });
  }

  private distrustWrongPrices(all: Found, block: Block): void {
    for (const { market, found } of all)
      for (const { asset, oursUsd8, chainUsd8 } of found.wrongPrices) {
        market.distrustPrice(asset);
        const prices = { oursUsd8: String(oursUsd8), chainUsd8: String(chainUsd8) };
        this.events.emit({
          event: 'price-differs',
          protocol: market.name,
          asset,
          block: block.number,
          ...prices,
        });
      }
  }

  private record(protocol: string, { account, detail }: Divergence, { number, hash }: Block): void {
    this.events.emit({ event: 'divergence', protocol, account, detail, block: number });
    const { chainId } = this.config.network;
    const row = { chainId, protocol, account, blockNumber: number, blockHash: hash, detail };
    this.writes.add({ kind: 'divergence', row });
  }
}

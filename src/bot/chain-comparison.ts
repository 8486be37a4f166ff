import { Injectable } from '@nestjs/common';
import { DivergencesRepository } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { Events } from '../domain/events/events.js';
import { FailurePolicy } from '../safety/index.js';
import type { Comparison, FollowedAccounts } from '../state/followed.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';

/** One eth_call holds 250 calls of getUserAccountData: 130k gas each, below a node's usual cap of 50M. */
const READS_PER_CALL = 250;
const CALLS_PER_BLOCK = 2;

type WrongAccount = Comparison['divergences'][number] & { readonly protocol: string };
type Found = readonly { readonly market: FollowedAccounts; readonly found: Comparison }[];

/**
 * Compares the state with the chain after a pass. It runs beside the next pass, so no head waits for it. A
 * wrong account halts the bot, is stored, and is read again from the chain. A wrong price is read by a call
 * from now on.
 */
@Injectable()
export class ChainComparison {
  private running: Promise<void> | undefined;

  constructor(
    private readonly state: StateEngine,
    private readonly divergences: DivergencesRepository,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
  ) {}

  /** Begins to compare a view, unless a comparison is still under way. */
  begin(view: StateView): void {
    this.running ??= this.compare(view)
      .catch((error: unknown) => this.policy.failed(error, view.block.number))
      .then(() => {
        this.running = undefined;
      });
  }

  /** Resolves when no comparison is under way. Never rejects. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async compare(view: StateView): Promise<void> {
    const all = await this.state.compare(view, READS_PER_CALL * CALLS_PER_BLOCK, READS_PER_CALL);
    this.distrustWrongPrices(all, view.block);
    const named = all.flatMap(({ market, found }) =>
      found.divergences.map(({ account }) => `${market.name} ${account}`),
    );
    if (named.length === 0) return;
    await this.policy.halt(
      `our books differ from the chain at block ${view.block.number}: ${named.join(', ')}`,
    );
    const wrong = all.flatMap(({ market, found }) =>
      found.divergences.map((divergence) => ({ protocol: market.name, ...divergence })),
    );
    for (const divergence of wrong)
      this.events.emit({ event: 'divergence', ...divergence, block: view.block.number });
    for (const divergence of wrong) await this.putRight(divergence, view.block);
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

  private async putRight(
    { protocol, account, detail }: WrongAccount,
    { number, hash }: Block,
  ): Promise<void> {
    await this.divergences.insert({ protocol, account, blockNumber: number, blockHash: hash, detail });
    await this.state.refresh(protocol, [account]);
  }
}

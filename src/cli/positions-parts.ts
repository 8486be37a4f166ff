import type { ChimeraConfig } from '../config/index.js';
import type { CheckpointsRepository } from '../database/index.js';
import { StartupError } from '../domain/errors.js';
import { Events, type BotEvent } from '../domain/events/events.js';
import type { Address, Hash } from '../domain/hex.js';
import { WAD } from '../domain/money.js';
import { FeedBook } from '../oracles/feed-book.js';
import { PriceGuard } from '../oracles/price-guard.js';
import type { LendingMarket } from '../protocols/lending-market.js';
import { marketOf, tokenPricesOf } from '../protocols/market-kinds.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import type { Terminal } from './terminal.js';

export type Known = Awaited<ReturnType<CheckpointsRepository['load']>>;

/** A configured market, which nothing follows. */
export interface ConfiguredMarket {
  readonly market: LendingMarket;
  readonly kind: string;
  /** The contract that stands for the market in the configuration. */
  readonly contract: Address;
}

/** The chain of the configuration, and its markets. Close the pool when done. */
export interface ConfiguredChain {
  readonly chain: Chain;
  readonly pool: RpcPool;
  readonly markets: readonly ConfiguredMarket[];
}

/** @param name of the only market to take. @throws StartupError when it is not configured. */
export function configuredChain(config: ChimeraConfig, name?: string): ConfiguredChain {
  const { network, rpc, protocols, oracles } = config;
  const chosen = protocols.filter((protocol) => name === undefined || protocol.name === name);
  if (chosen.length === 0)
    throw new StartupError([
      `--market ${name ?? ''}: no such market is configured; one of ${protocols.map((one) => one.name).join(', ')} was expected`,
    ]);
  const { primary, backup, archive } = rpc;
  const pool = new RpcPool({ chainId: network.chainId, primary, backup, archive });
  const chain = new Chain(pool);
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, oracles.nativeUsdFeed, guard);
  const healthFactors = { decideBelowWad: WAD, watchBelowWad: WAD };
  const tokenPrices = tokenPricesOf(protocols, chain);
  const markets = chosen.map((protocol): ConfiguredMarket => {
    const market = marketOf(protocol, { chain, feeds, guard, tokenPrices, healthFactors });
    const [first] = market.contracts;
    if (!first) throw new TypeError(`the market ${market.name} has no contract`);
    return { market, kind: protocol.kind, contract: first[1] };
  });
  return { chain, pool, markets };
}

/** All accounts of a market that are stored, each with the places of its debts as far as they are known. */
export function accountsOf({ places }: LendingMarket, known: Known): Map<Address, readonly Hash[]> {
  return new Map([
    ...known.unread.map((account) => [account, []] as const),
    ...known.positions.map((saved) => [saved.account, places?.placesIn(saved) ?? []] as const),
  ]);
}

/** What the database says while a command works with it. */
export class RemarkedEvents extends Events {
  constructor(private readonly terminal: Terminal) {
    super();
  }

  emit(event: BotEvent): void {
    if (event.event === 'embedded-database') this.terminal.remark(event.message);
    if (event.event === 'migrations-run')
      this.terminal.remark(`the tables were brought up to date: ${event.names.join(', ')}`);
  }
}

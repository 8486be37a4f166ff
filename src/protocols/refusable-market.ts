import type { Block } from '../domain/block.js';
import { RetryError } from '../domain/errors.js';
import type { Events } from '../domain/events/events.js';
import type { Address, Hash } from '../domain/hex.js';
import type { MarketCoverage } from '../domain/market-coverage.js';
import type { Asset } from '../domain/opportunity.js';
import type { StoredPosition } from '../database/index.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import type { Read } from '../rpc/chain/read.js';
import type { AccountChanges, Comparison, MissingDebt, RangeLogs, RestoreStep } from '../state/followed.js';
import { CoverageReporter } from './coverage-reporter.js';
import type { Counterparty, LendingMarket, MarketView } from './lending-market.js';
import { MarketRefused } from './market-refused.js';
import { NO_FEEDS, type FeedsBehind } from './scan/feeds-behind.js';

/** What the market itself made of a block, or why it is refused; neither while it is refused already. */
interface Step extends RestoreStep {
  readonly own?: RestoreStep;
  readonly refused?: MarketRefused;
}

/** The undo of the market itself, or that this block was the one in which it was refused. */
type Undo = { readonly own?: unknown; readonly refused?: true };

const NOTHING: Step = { readsChange: false, contradicted: [], undecodable: [] };
const NO_COMPARISON: Comparison = { compared: [], divergences: [], wrongPrices: [] };
const EMPTY: MarketView = {
  borrowerCount: 0,
  priceUsd8: () => undefined,
  atRisk: () => [],
  aboutToOpen: () => [],
  near: () => [],
};

/**
 * A market that stops by itself when its rules are not known ({@link MarketRefused}), at start or when it is
 * upgraded, while the other markets go on. It stays refused until the next start, unless a reorg takes the
 * block back: then it is as it was before.
 */
export class RefusableMarket implements LendingMarket<MarketView, Step, Undo> {
  private refused: MarketRefused | undefined;
  private readonly reporter: CoverageReporter;
  private block: Block | undefined;

  constructor(
    private readonly market: LendingMarket,
    private readonly events: Events,
  ) {
    this.reporter = new CoverageReporter(market.name, events);
  }

  get name(): string {
    return this.market.name;
  }

  get contracts(): LendingMarket['contracts'] {
    return this.market.contracts;
  }

  get tokens(): readonly Asset[] {
    return this.refused ? [] : this.market.tokens;
  }

  holderOf(token: Address): Address | undefined {
    return this.refused ? undefined : this.market.holderOf(token);
  }

  feedsBehind(view: MarketView): FeedsBehind {
    return this.refused || view === EMPTY ? NO_FEEDS : this.market.feedsBehind(view);
  }

  counterparty(): Read<Counterparty> {
    return this.market.counterparty();
  }

  examine(block: Hash, asset: Address): ReturnType<LendingMarket['examine']> {
    return this.market.examine(block, asset);
  }

  get watched(): WatchedLogs {
    return this.refused ? new Map() : this.market.watched;
  }

  get accounts(): Iterable<Address> {
    return this.market.accounts;
  }

  get counts(): LendingMarket['counts'] {
    return this.refused ? { followed: 0, watched: 0 } : this.market.counts;
  }

  get coverage(): MarketCoverage | undefined {
    return this.refused ? undefined : this.market.coverage;
  }

  get refusal(): string | undefined {
    return this.refused?.message;
  }

  /** While it is refused, what is saved of it stays as it is. */
  get isWhole(): boolean {
    return !this.refused && this.market.isWhole;
  }

  check(log: RawLog): void {
    this.market.check(log);
  }

  prepare(
    block: Block,
    logs: readonly RawLog[],
    fetchLogs: (addresses: readonly Address[]) => Promise<readonly RawLog[]>,
  ): Promise<Step> {
    return this.orRefused(() => this.market.prepare(block, logs, fetchLogs));
  }

  commit(step: Step, block: Block): Undo {
    if (step.refused) {
      this.refuse(step.refused, block);
      return { refused: true };
    }
    return step.own ? { own: this.market.commit(step.own, block) } : {};
  }

  undo(undo: Undo): void {
    if (undo.refused) this.refused = undefined;
    else if ('own' in undo) this.market.undo(undo.own);
  }

  prepareRange(block: Block, logs: RangeLogs | undefined, saved?: readonly StoredPosition[]): Promise<Step> {
    return this.orRefused(() => this.market.prepareRange(block, logs, saved));
  }

  commitRange(step: Step, block: Block): void {
    if (step.refused) this.refuse(step.refused, block);
    else if (step.own) this.market.commitRange(step.own, block);
  }

  reads(block: Block): Read<unknown> {
    this.block = block;
    return this.refused ? { calls: [], decode: () => undefined } : this.market.reads(block);
  }

  view(answers: unknown): MarketView {
    if (this.refused) return EMPTY;
    const view = this.market.view(answers);
    const { coverage } = this.market;
    if (coverage && this.block) this.reporter.note(coverage, this.block);
    return view;
  }

  accountsIn(fromBlock: number, toBlock: number): Promise<ReadonlySet<Address>> {
    return this.notRefused(() => this.market.accountsIn(fromBlock, toBlock));
  }

  readAccounts(accounts: readonly Address[], block: Hash): Promise<unknown> {
    return this.notRefused(() => this.market.readAccounts(accounts, block));
  }

  adopt(read: unknown, later: readonly Undo[], tip: Undo | undefined): void {
    if (this.refused) return;
    const own = later.flatMap((undo) => ('own' in undo ? [undo.own] : []));
    this.market.adopt(read, own, tip?.own);
  }

  forget(accounts: Iterable<Address>): void {
    this.market.forget(accounts);
  }

  comparison(view: MarketView, budget: number, first: readonly Address[]): Read<Comparison> {
    return this.refused ? NOTHING_TO_COMPARE : this.market.comparison(view, budget, first);
  }

  comparisonOf(view: MarketView, accounts: readonly Address[]): Read<Comparison> {
    return this.refused ? NOTHING_TO_COMPARE : this.market.comparisonOf(view, accounts);
  }

  debts(block: Block): Read<readonly MissingDebt[]> | undefined {
    return this.refused ? undefined : this.market.debts(block);
  }

  has(account: Address): boolean {
    return !this.refused && this.market.has(account);
  }

  distrustPrice(asset: Address): void {
    if (!this.refused) this.market.distrustPrice(asset);
  }

  takeChanges(): AccountChanges {
    return this.market.takeChanges();
  }

  private async orRefused(work: () => Promise<RestoreStep>): Promise<Step> {
    if (this.refused) return NOTHING;
    try {
      const own = await work();
      const { readsChange, contradicted, undecodable } = own;
      return { own, readsChange, contradicted, undecodable };
    } catch (error) {
      if (!(error instanceof MarketRefused)) throw error;
      return { ...NOTHING, readsChange: true, refused: error };
    }
  }

  /** @throws RetryError while it is refused: the backfill pauses, and keeps what it has yet to search. */
  private async notRefused<T>(work: () => Promise<T>): Promise<T> {
    if (this.refused) throw new RetryError(this.refused.message);
    return work();
  }

  private refuse(refused: MarketRefused, { number }: Block): void {
    this.refused = refused;
    const { message: reason } = refused;
    this.events.emit({ event: 'market-refused', market: this.name, block: number, reason });
  }
}

const NOTHING_TO_COMPARE: Read<Comparison> = { calls: [], decode: () => NO_COMPARISON };

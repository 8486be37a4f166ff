import type { Block } from '../domain/block.js';
import type { Address, Hash } from '../domain/hex.js';
import type { MarketCoverage } from '../domain/market-coverage.js';
import type { StoredPosition } from '../database/index.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import type { Read } from '../rpc/chain/read.js';

/** What one block, or a range of blocks, changes: read from the chain and ready to be applied at once. */
export interface BlockStep {
  /** From this block on, other contracts count (`watched`), or other things have to be asked (`reads`). */
  readonly readsChange: boolean;
  /** Accounts of which the logs took more than our books held. They have been read again from the chain. */
  readonly contradicted: readonly Address[];
}

/** Gives the logs of a range of blocks piece by piece, in the order of the chain. */
export type RangeLogs = (
  addresses: readonly Address[],
  onLogs: (logs: readonly RawLog[]) => void,
) => Promise<void>;

/** By what {@link StateView} finds a view, and of what type it is. */
export interface FollowedName<View> {
  readonly name: string;
  view?(answers: never): View;
}

/**
 * Something that is kept exact by the logs of its contracts and can be taken back block by block: a lending
 * market, the book of price feeds. {@link BlockFollower} moves everything that is followed by the same
 * blocks.
 *
 * `prepare` and `prepareRange` read and change nothing. `commit`, `commitRange` and `undo` change and read
 * nothing, so that no reader sees half a block. The follower gives each step and undo back to the object that
 * made it.
 */
export interface Followed<
  View = unknown,
  Step extends BlockStep = BlockStep,
  Undo = unknown,
  Answers = unknown,
> {
  /** Unique among what is followed. {@link StateView} carries the view under this name. */
  readonly name: string;
  /** The contracts whose logs `prepare` needs, and which of their logs it reads. */
  readonly watched: WatchedLogs;
  /**
   * Looks at a log of a watched contract before it is used.
   *
   * @throws TypeError or RangeError when its event is one that is read here, and it lacks something or holds
   *   a number out of its range. Then the whole answer was bad: nothing of it is used, and the next endpoint
   *   is asked.
   */
  check(log: RawLog): void;
  /**
   * @param logs the block's logs of all watched contracts, of others too, in the order of the chain.
   * @param fetchLogs the block's logs of these contracts: for contracts that the block itself introduced.
   * @throws RetryError when the chain cannot be read.
   */
  prepare(
    block: Block,
    logs: readonly RawLog[],
    fetchLogs: (addresses: readonly Address[]) => Promise<readonly RawLog[]>,
  ): Promise<Step>;
  commit(step: Step, block: Block): Undo;
  /** Takes the last block back. */
  undo(undo: Undo): void;
  /**
   * Reads what is needed to get to a block over many others, when only the state at the end matters.
   *
   * @param logs of the blocks after the present one; undefined: there are none to apply.
   * @throws RetryError when the chain cannot be read.
   */
  prepareRange(block: Block, logs: RangeLogs | undefined): Promise<Step>;
  /** Applies a range. It cannot be taken back. */
  commitRange(step: Step, block: Block): void;
  /** Asks at a head for everything that no log tells. It has no calls where there is nothing to ask. */
  reads(block: Block): Read<Answers>;
  /**
   * What decisions are made on, as of the block that was applied last.
   *
   * @throws RetryError when something is missing.
   */
  view(answers: Answers): View;
}

/** The accounts that changed since this was asked last. */
export interface AccountChanges {
  readonly changed: readonly StoredPosition[];
  /** Not followed any more. */
  readonly gone: readonly Address[];
}

/** A kind of debt of which the known accounts do not owe what all accounts owe together. */
export interface MissingDebt {
  readonly asset: Address;
  readonly symbol: string;
  /** The sum over all known accounts, in whole units of the asset. */
  readonly known: string;
  /** What the chain says that all accounts owe together, in whole units of the asset. */
  readonly total: string;
  /** Whether `known` is the lower one: accounts are missing. Otherwise an account has too much. */
  readonly lacks: boolean;
}

/** Accounts and prices compared with the chain, at the same block. */
export interface Comparison {
  readonly compared: readonly Address[];
  /** Accounts that are wrong in our books, with both sides' numbers as decimal text. */
  readonly divergences: readonly {
    readonly account: Address;
    readonly detail: Readonly<Record<string, string>>;
  }[];
  /** Prices that are wrong in our books: USD with 8 decimals, undefined where a side has none. */
  readonly wrongPrices: readonly {
    readonly asset: Address;
    readonly oursUsd8: bigint | undefined;
    readonly chainUsd8: bigint | undefined;
  }[];
}

/** A step over a range that began with saved accounts. */
export interface RestoreStep extends BlockStep {
  /** Saved accounts whose state could not be decoded: they have to be read from the chain. */
  readonly undecodable: readonly Address[];
}

/** How many accounts are followed, and how many of these are watched: those near the limit or below it. */
export interface AccountCounts {
  readonly followed: number;
  readonly watched: number;
}

/** Where accounts have their debts: a position of Morpho can only be asked for by its market. */
export interface AccountPlaces {
  /** The places of a saved account. */
  placesIn(saved: StoredPosition): readonly Hash[];
  /** The account may have debts in these places: they are read with it. */
  found(account: Address, places: readonly Hash[]): void;
}

/**
 * Something followed that consists of accounts: they are found in the history, saved, and compared with the
 * chain.
 */
export interface FollowedAccounts<
  View = unknown,
  Step extends RestoreStep = RestoreStep,
  Undo = unknown,
  Answers = unknown,
> extends Followed<View, Step, Undo, Answers> {
  /** The accounts that are followed. */
  readonly accounts: Iterable<Address>;
  readonly counts: AccountCounts;
  /** Why nothing of it is followed until the next start, in a sentence; undefined: it is followed. */
  readonly refusal?: string | undefined;
  /** Of a protocol with many markets: which of them are served. */
  readonly coverage?: MarketCoverage | undefined;
  /** Whether the state of every followed account is known. */
  readonly isWhole: boolean;
  /**
   * @param saved what to begin with, in place of everything that is followed; undefined: what is followed
   *   stays.
   */
  prepareRange(block: Block, logs: RangeLogs | undefined, saved?: readonly StoredPosition[]): Promise<Step>;
  /**
   * The accounts that appear in a range of blocks, both ends included, as the archive tells.
   *
   * @throws RpcError
   */
  accountsIn(fromBlock: number, toBlock: number): Promise<ReadonlySet<Address>>;
  /** Reads accounts at a block. What comes back is for {@link adopt}. @throws RetryError */
  readAccounts(accounts: readonly Address[], block: Hash): Promise<unknown>;
  /**
   * Follows accounts that were read at an earlier block; those that are followed already stay as they are.
   *
   * @param later what was applied since that block, oldest first.
   * @param tip the undo of the last block: it has to know that what these accounts were before it is not
   *   known.
   */
  adopt(read: unknown, later: readonly Undo[], tip: Undo | undefined): void;
  /** The state of these accounts is not known any more: they are read with the next block. */
  forget(accounts: Iterable<Address>): void;
  takeChanges(): AccountChanges;
  /** Only of a family whose debts can be asked for by account and place alone. */
  readonly places?: AccountPlaces;
  /** Whether this account is followed, and its state is known. */
  has(account: Address): boolean;
  /**
   * Some accounts and all prices compared with the chain at the view's block, in at most `budget` calls.
   *
   * @param first accounts that have to be among them.
   */
  comparison(view: View, budget: number, first: readonly Address[]): Read<Comparison>;
  /** Only these accounts compared, for a second look. */
  comparisonOf(view: View, accounts: readonly Address[]): Read<Comparison>;
  /**
   * The debts of all known accounts at the last block compared with what all accounts owe together. Empty
   * when they are equal, kind by kind. Undefined: not to be asked now, because an account has to be read.
   *
   * @param block the block that was applied last.
   */
  debts(block: Block): Read<readonly MissingDebt[]> | undefined;
  /** Does not believe the logs of an asset's feed any more: its price is asked from now on. */
  distrustPrice(asset: Address): void;
}

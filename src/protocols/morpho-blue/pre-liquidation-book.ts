import type { Address, Hash } from '../../domain/hex.js';
import type { PreLiquidation } from './pre-liquidation.js';
import type { PreLiquidationChange } from './pre-liquidation-events.js';

/** Anybody may make such contracts. Of one market the first so many count. */
const MOST_OF_A_MARKET = 100;
const MOST_ANSWERS = 50_000;

/** A borrower, and a contract that it may have authorised. */
export interface PreLiquidationPair {
  readonly borrower: Address;
  readonly contract: Address;
}

type PairKey = `${Address}-${Address}`;

interface Answer extends PreLiquidationPair {
  readonly isAuthorised: boolean;
  /** The block that told it. */
  readonly since: number;
}

/** What is needed to take the changes of a block back. */
export interface PreLiquidationUndo {
  readonly block: number;
  /** The answers that its logs changed, as they were before; undefined: not known. */
  readonly before: ReadonlyMap<PairKey, Answer | undefined>;
}

/**
 * The pre-liquidation contracts, and who authorised them, block by block. An authorisation is asked for once,
 * and kept exact by Morpho's logs from then on.
 */
export class PreLiquidationBook {
  private readonly contracts = new Map<Address, { readonly of: PreLiquidation; readonly since: number }>();
  private readonly byMarket = new Map<Hash, PreLiquidation[]>();
  private readonly answers = new Map<PairKey, Answer>();
  private readonly authorisations = new Map<PairKey, Answer>();
  /** The last block that was applied. */
  private tip = 0;

  /** @param mostAnswers that are remembered. When there are more, those that say no are asked again. */
  constructor(private readonly mostAnswers = MOST_ANSWERS) {}

  /** How many contracts are known. */
  get size(): number {
    return this.contracts.size;
  }

  /** The markets that have such contracts. */
  get markets(): Iterable<Hash> {
    return this.byMarket.keys();
  }

  /** The pairs of which it is known that the borrower authorised the contract. */
  get authorised(): Iterable<PreLiquidationPair> {
    return this.authorisations.values();
  }

  of(marketId: Hash): readonly PreLiquidation[] {
    return this.byMarket.get(marketId) ?? [];
  }

  get(contract: Address): PreLiquidation | undefined {
    return this.contracts.get(contract)?.of;
  }

  /** Whether the borrower authorised the contract is known. */
  isKnown(borrower: Address, contract: Address): boolean {
    return this.answers.has(`${borrower}-${contract}`);
  }

  /** Follows a contract. @param since the block of its log; 0 for one that no reorg takes back. */
  add(of: PreLiquidation, since = 0): void {
    const own = this.byMarket.get(of.marketId) ?? [];
    const known = this.contracts.get(of.contract);
    if (known ? known.since <= since : own.length >= MOST_OF_A_MARKET) return;
    this.contracts.set(of.contract, { of, since });
    if (!known) this.byMarket.set(of.marketId, [...own, of]);
  }

  /** What Morpho answered at the block that was applied last. */
  learn(pair: PreLiquidationPair, isAuthorised: boolean): void {
    if (!this.contracts.has(pair.contract)) return;
    if (this.answers.size >= this.mostAnswers)
      for (const [key, answer] of this.answers) if (!answer.isAuthorised) this.answers.delete(key);
    this.put(`${pair.borrower}-${pair.contract}`, { ...pair, isAuthorised, since: this.tip });
  }

  commit(changes: readonly PreLiquidationChange[], block: number): PreLiquidationUndo {
    this.tip = block;
    const before = new Map<PairKey, Answer | undefined>();
    for (const change of changes) if (change.kind === 'created') this.add(change.created, block);
    for (const change of changes) {
      if (change.kind !== 'authorisation' || !this.contracts.has(change.contract)) continue;
      const { borrower, contract, isAuthorised } = change;
      const key: PairKey = `${borrower}-${contract}`;
      if (!before.has(key)) before.set(key, this.answers.get(key));
      this.put(key, { borrower, contract, isAuthorised, since: block });
    }
    return { block, before };
  }

  undo({ block, before }: PreLiquidationUndo): void {
    this.tip = block - 1;
    for (const [key, answer] of before) this.put(key, answer);
    // What was asked at this block may be otherwise before it.
    for (const [key, { since }] of this.answers) if (since >= block) this.put(key, undefined);
    for (const { of, since } of this.contracts.values()) if (since >= block) this.remove(of);
  }

  /** Who authorised what is not known any more. */
  forgetAuthorisations(): void {
    this.answers.clear();
    this.authorisations.clear();
  }

  clear(): void {
    this.forgetAuthorisations();
    this.contracts.clear();
    this.byMarket.clear();
  }

  private put(key: PairKey, answer: Answer | undefined): void {
    if (answer) this.answers.set(key, answer);
    else this.answers.delete(key);
    if (answer?.isAuthorised) this.authorisations.set(key, answer);
    else this.authorisations.delete(key);
  }

  private remove({ contract, marketId }: PreLiquidation): void {
    this.contracts.delete(contract);
    const left = this.of(marketId).filter((one) => one.contract !== contract);
    if (left.length > 0) this.byMarket.set(marketId, left);
    else this.byMarket.delete(marketId);
    for (const [key, answer] of this.answers) if (answer.contract === contract) this.put(key, undefined);
  }
}

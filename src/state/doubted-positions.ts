import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { Address } from '../domain/hex.js';

/** How long a position that was set aside counts for the rule of {@link DoubtedPositions.tooMany}. */
const WINDOW_MS = 600_000;
/** So many are too many, whatever the size of the market. */
const TOO_MANY = 5;
/**
 * One log that was missed makes two positions wrong: its sender and its receiver. From three on, the share of
 * the compared positions counts.
 */
const FEWEST_FOR_SHARE = 3;
const LARGEST_SHARE_PERCENT = 5;

type Doubt =
  | { readonly kind: 'suspected'; readonly sinceBlock: number }
  | { readonly kind: 'set-aside'; readonly sinceBlock: number };

export interface SetAside {
  readonly market: string;
  readonly account: Address;
  readonly sinceBlock: number;
}

/**
 * The positions of which the chain said something else than our books (F52). One look proves nothing: a
 * position is suspected first. When it differs at a later block too, it is set aside: it is not liquidated
 * until the chain and our books agree about it.
 */
@Injectable()
export class DoubtedPositions {
  private readonly doubts = new Map<string, Map<Address, Doubt>>();
  /** When each position was set aside last, in monotonic milliseconds. */
  private readonly setAsideAtMs = new Map<string, number>();
  private readonly untold: SetAside[] = [];

  constructor(private readonly clock: Clock) {}

  /** The accounts of a market that have to be compared next. */
  of(market: string): Address[] {
    return [...(this.doubts.get(market)?.keys() ?? [])];
  }

  /** Whether no position is suspected or set aside. */
  get isEmpty(): boolean {
    return [...this.doubts.values()].every(({ size }) => size === 0);
  }

  isSetAside(market: string, account: Address): boolean {
    return this.doubts.get(market)?.get(account)?.kind === 'set-aside';
  }

  get setAside(): SetAside[] {
    return [...this.doubts].flatMap(([market, doubts]) =>
      [...doubts].flatMap(([account, { kind, sinceBlock }]) =>
        kind === 'set-aside' ? [{ market, account, sinceBlock }] : [],
      ),
    );
  }

  /** A position differs at a block, and no endpoint says otherwise. @returns what it is from now on. */
  differs(market: string, account: Address, block: number): 'suspected' | 'set-aside' | 'still-set-aside' {
    const doubts = this.doubts.get(market) ?? new Map<Address, Doubt>();
    this.doubts.set(market, doubts);
    const doubt = doubts.get(account);
    if (doubt?.kind === 'set-aside') return 'still-set-aside';
    if (!doubt || doubt.sinceBlock === block) {
      doubts.set(account, { kind: 'suspected', sinceBlock: block });
      return 'suspected';
    }
    this.putAside(market, account, block);
    return 'set-aside';
  }

  /**
   * The logs took more of a position than our books held: it was wrong, whatever an endpoint says. It is set
   * aside at once, until a comparison agrees with what was read of it since.
   */
  contradicted(market: string, account: Address, block: number): void {
    if (this.isSetAside(market, account)) return;
    this.putAside(market, account, block);
    this.untold.push({ market, account, sinceBlock: block });
  }

  /** The positions that were contradicted since this was asked last. */
  takeContradicted(): readonly SetAside[] {
    return this.untold.splice(0);
  }

  /** A position is wrong beyond doubt: it is set aside at once. */
  putAside(market: string, account: Address, block: number): void {
    const doubts = this.doubts.get(market) ?? new Map<Address, Doubt>();
    this.doubts.set(market, doubts.set(account, { kind: 'set-aside', sinceBlock: block }));
    this.setAsideAtMs.set(`${market} ${account}`, this.clock.monotonicMs());
  }

  /** Chain and books agree about a position, or it is gone. @returns whether it had been set aside. */
  agrees(market: string, account: Address): boolean {
    const wasSetAside = this.isSetAside(market, account);
    this.doubts.get(market)?.delete(account);
    return wasSetAside;
  }

  /**
   * Why the bot has to halt: at least 5 positions were set aside within ten minutes, or at least 3 that are
   * more than 5 % of those that are compared, in all markets.
   *
   * @param compared how many positions were compared, when each market had its turn last.
   */
  tooMany(compared: number): string | undefined {
    const sinceMs = this.clock.monotonicMs() - WINDOW_MS;
    for (const [name, atMs] of this.setAsideAtMs) if (atMs < sinceMs) this.setAsideAtMs.delete(name);
    const names = [...this.setAsideAtMs.keys()];
    const manyOfFew =
      names.length >= FEWEST_FOR_SHARE && names.length * 100 > compared * LARGEST_SHARE_PERCENT;
    if (names.length < TOO_MANY && !manyOfFew) return undefined;
    return `our books differ from the chain about ${names.length} positions within ${WINDOW_MS / 60_000} minutes: ${names.slice(0, 10).join(', ')}`;
  }

  /** The operator has resumed, or the halt was reported: what was set aside until now counts no more. */
  countAnew(): void {
    this.setAsideAtMs.clear();
  }
}

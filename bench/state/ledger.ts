/** Actions of the users of a synthetic market and the logs they leave, kept without any code of the bot. */
import type { Address } from '../../src/domain/hex.js';
import { RAY } from '../../src/domain/money.js';
import type { AaveAccount, AaveMarket, Leg, Reserve } from '../../src/protocols/aave-v3/market.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import { SeededRandom } from '../../devnet/random.js';
import { Books } from './books.js';
import * as logs from './logs.js';
import { aggregatorOf } from './tracked.js';
import { addressOf, type World } from './world.js';

type Side = 'scaledSupply' | 'scaledDebt';

/** One block of the books. */
export interface LedgerBlock {
  readonly timestamp: number;
  readonly logs: readonly RawLog[];
  /** The accounts that acted in the block, as they are at its end. */
  readonly after: ReadonlyMap<Address, AaveAccount>;
}

const BLOCK_SECONDS = 2;
/** Share of the actions that are the first of an account. */
const NEWCOMERS = 0.01;

export class Ledger {
  readonly books: Books;
  readonly #random = new SeededRandom(23);
  #population: number;
  #logs: RawLog[] = [];
  /** How many of them change an account, a reserve or a price. */
  #relevant = 0;
  #touched = new Set<Address>();

  constructor(world: World, accounts: readonly AaveAccount[]) {
    this.books = new Books(world, accounts);
    this.#population = accounts.length;
  }

  /** @param relevant how many logs of it change something; others go along with them. */
  block(relevant: number): LedgerBlock {
    this.books.pass(BLOCK_SECONDS);
    this.#logs = [];
    this.#relevant = 0;
    this.#touched = new Set();
    this.#movePrice();
    while (this.#relevant < relevant) this.#act();
    const after = new Map([...this.#touched].map((address) => [address, this.books.account(address)]));
    return { timestamp: this.books.timestamp, logs: this.#logs, after };
  }

  get #market(): AaveMarket {
    return this.books.world.market;
  }

  #movePrice(): void {
    const reserve = this.#reserveOf([], 'scaledSupply');
    const before = Number(this.books.world.conditions.prices.get(reserve.asset));
    const price = BigInt(Math.round(before * this.#random.between(0.998, 1.002)));
    this.books.setPrice(reserve, price);
    this.#say(logs.answerUpdated(aggregatorOf(reserve), price, this.books.timestamp));
  }

  #act(): void {
    if (this.#random.chance(NEWCOMERS)) {
      this.#begin(addressOf(++this.#population));
      return;
    }
    const account = this.books.account(addressOf(this.#random.integer(1, this.#population)));
    const place = this.#random.next();
    if (place < 0.3) this.#change(account, 'scaledSupply', ['Supply', 'Withdraw']);
    else if (place < 0.8) this.#change(account, 'scaledDebt', ['Borrow', 'Repay']);
    else if (place < 0.9) this.#transfer(account);
    else if (place < 0.97) this.#switchCollateral(account);
    else this.#switchEMode(account);
  }

  #begin(address: Address): void {
    const supplied = this.#accrued(this.#reserveOf([], 'scaledSupply'));
    this.#book(address, supplied, 'scaledSupply', this.books.worth(supplied, 1_000n));
    this.#put(this.books.with(address, supplied.id, { usedAsCollateral: true }));
    this.#say(logs.collateralFlag(this.#market, supplied, address, true));
    const borrowed = this.#accrued(this.#reserveOf([], 'scaledDebt'));
    this.#book(address, borrowed, 'scaledDebt', this.books.worth(borrowed, 100n));
  }

  #change(
    { address, legs }: AaveAccount,
    side: Side,
    [more, less]: ['Supply', 'Withdraw'] | ['Borrow', 'Repay'],
  ): void {
    const reserve = this.#reserveOf(legs, side);
    const had = this.books.leg(address, reserve.id)[side];
    const part = less === 'Repay' && this.#random.chance(0.1) ? had : this.#part(had, reserve);
    const takes = had > 0n && this.#random.chance(0.5);
    const scaled = takes ? had - part : had + part;
    if (this.books.refuses(this.books.with(address, reserve.id, { [side]: scaled }))) return;
    this.#book(address, this.#accrued(reserve), side, scaled);
    this.#say(logs.action(this.#market, takes ? less : more, reserve, address, part), false);
  }

  #transfer({ address, legs }: AaveAccount): void {
    const reserve = this.#reserveOf(legs, 'scaledSupply');
    const { id, aToken, indexes } = reserve;
    const had = this.books.leg(address, id).scaledSupply;
    const to = addressOf(this.#random.integer(1, this.#population));
    const scaled = this.#part(had, reserve);
    const after = this.books.with(address, id, { scaledSupply: had - scaled });
    if (had === 0n || to === address || this.books.refuses(after)) return;
    this.#put(after);
    this.#put(this.books.with(to, id, { scaledSupply: this.books.leg(to, id).scaledSupply + scaled }));
    this.#sayBoth(logs.balanceTransfer(aToken, address, to, scaled, indexes.liquidityIndex));
  }

  #switchCollateral({ address, legs }: AaveAccount): void {
    const reserve = this.#reserveOf(legs, 'scaledSupply');
    const usedAsCollateral = !this.books.leg(address, reserve.id).usedAsCollateral;
    const after = this.books.with(address, reserve.id, { usedAsCollateral });
    if (this.books.refuses(after)) return;
    this.#put(after);
    this.#say(logs.collateralFlag(this.#market, reserve, address, usedAsCollateral));
  }

  #switchEMode(account: AaveAccount): void {
    const after = { ...account, eMode: account.eMode === 0 ? 1 : 0 };
    if (this.books.refuses(after)) return;
    this.#put(after);
    this.#say(logs.eModeSet(this.#market, after.address, after.eMode));
  }

  /**
   * A balance becomes another. The events tell it in balances: of what was booked when the account last did
   * something, with a smaller index then, and with the interest since (ScaledBalanceTokenBase).
   */
  #book(
    account: Address,
    { id, aToken, variableDebtToken, indexes }: Reserve,
    side: Side,
    scaled: bigint,
  ): void {
    const isDebt = side === 'scaledDebt';
    const index = isDebt ? indexes.variableBorrowIndex : indexes.liquidityIndex;
    const balance = (amount: bigint, at: bigint): bigint => (amount * at + (isDebt ? RAY - 1n : 0n)) / RAY;
    const before = this.books.leg(account, id)[side];
    const booked = balance(before, index - index / BigInt(this.#random.integer(100, 1_000_000)));
    const value = balance(scaled, index) - booked;
    const step = { account, increase: balance(before, index) - booked, index };
    const token = isDebt ? variableDebtToken : aToken;
    this.#sayBoth(
      value >= 0n ? logs.mint(token, { ...step, value }) : logs.burn(token, { ...step, value: -value }),
    );
    this.#put(this.books.with(account, id, { [side]: scaled }));
  }

  #accrued(reserve: Reserve): Reserve {
    const changed = this.books.accrue(reserve, this.#random);
    this.#say(logs.reserveDataUpdated(this.#market, changed, changed.indexes));
    return changed;
  }

  #put(account: AaveAccount): void {
    this.books.put(account);
    this.#touched.add(account.address);
  }

  #say(log: RawLog, isRelevant = true): void {
    this.#logs.push(log);
    if (isRelevant) this.#relevant += 1;
  }

  /** An ERC-20 Transfer, which says nothing new, and what it goes along with. */
  #sayBoth([transfer, event]: readonly [RawLog, RawLog]): void {
    this.#say(transfer, false);
    this.#say(event);
  }

  /** One of which the account has something, if there is any, or any. */
  #reserveOf(legs: readonly Leg[], side: Side): Reserve {
    const having = legs.filter((leg) => leg[side] > 0n).map(({ reserveId }) => reserveId);
    const { reserves } = this.#market;
    const ids = having.length > 0 && this.#random.chance(0.9) ? having : [...reserves.keys()];
    const reserve = reserves.get(ids[this.#random.integer(0, ids.length - 1)] ?? 0);
    if (!reserve) throw new Error('the market has no reserves');
    return reserve;
  }

  /** Up to a tenth of an amount; something where there is nothing. */
  #part(amount: bigint, reserve: Reserve): bigint {
    const most = amount === 0n ? this.books.worth(reserve, 100n) : amount / 10n;
    return (most * BigInt(this.#random.integer(1, 1_000_000))) / 1_000_000n;
  }
}

import type { Address, Hash } from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../../rpc/chain/read.js';
import { agreedAccounts } from '../agreed-accounts.js';
import { accountOf } from './account-changes.js';
import { changesOf, TOPIC } from './events.js';
import { whyNotListed, type FollowedMarket, type MorphoBlueSettings } from './followed-market.js';
import type { LoanPrices } from './loan-prices.js';
import type { BlueAccount } from './market.js';
import { oracleShapeRead } from './oracle-shape.js';
import { marketRead, positionRead } from './reads.js';
import { tokenRead } from './tokens.js';

/** A position costs a node some 5,000 gas: a call with this many stays far below a cap of 50M. */
const POSITIONS_PER_CALL = 2_500;
/** An unknown market costs some 20 calls, one of them of a contract that anybody may have written. */
const MARKETS_PER_CALL = 50;
/** History is read from the archive endpoint, when one is configured. Such an answer takes longer. */
const HISTORY = { archive: true, deadlineMs: 15_000 } as const;

/** Accounts, each with the markets in which it may have debt. */
export type Wanted = ReadonlyMap<Address, ReadonlySet<Hash>>;

export interface FoundMarkets {
  readonly markets: readonly FollowedMarket[];
  /** Those that are not listed, and those whose tokens cannot be read. */
  readonly ignored: ReadonlyMap<Hash, UnservedReason>;
}

/** Reads Morpho Blue's markets and positions from the chain, every answer pinned to one block. */
export class MorphoBlueReader {
  constructor(
    private readonly chain: Chain,
    private readonly settings: MorphoBlueSettings,
    private readonly loanPrices: LoanPrices,
  ) {}

  /** These markets as they stand at a block. @throws RetryError */
  async markets(ids: readonly Hash[], block: Hash): Promise<FoundMarkets> {
    if (ids.length === 0) return { markets: [], ignored: new Map() };
    const options = { chunk: MARKETS_PER_CALL };
    const booked = await readAt(
      this.chain,
      each(ids.map((id) => marketRead(this.settings, id))),
      block,
      options,
    );
    const known = booked.filter((market) => market !== undefined);
    const facts = await readAt(
      this.chain,
      each(
        known.map(({ params }) =>
          together(
            tokenRead(params.collateralToken),
            tokenRead(params.loanToken),
            oracleShapeRead(params.oracle),
          ),
        ),
      ),
      block,
      options,
    );
    await this.loanPrices.look(
      known.map(({ params }) => params.loanToken),
      block,
    );
    const isPriced = (token: Address): boolean => this.loanPrices.isPriced(token);
    const markets: FollowedMarket[] = [];
    const ignored = new Map<Hash, UnservedReason>(ids.map((id) => [id, 'not-created']));
    for (const [index, market] of known.entries()) {
      const [collateral, loan, oracle] = facts[index] ?? [];
      const why = oracle && whyNotListed(this.settings, { ...market, oracle }, isPriced);
      if (why) ignored.set(market.id, why);
      else if (!collateral || !loan || !oracle) ignored.set(market.id, 'token-unreadable');
      else {
        ignored.delete(market.id);
        markets.push({ ...market, collateral, loan, oracle });
      }
    }
    return { markets, ignored };
  }

  /** The accounts as they stand at a block. @throws RetryError */
  accounts(wanted: Wanted, block: Hash): Promise<BlueAccount[]> {
    return readAt(this.chain, this.accountsRead(wanted), block, { chunk: POSITIONS_PER_CALL });
  }

  /** See {@link agreedAccounts}. @throws RetryError when no endpoint answers. */
  agreedAccounts(wanted: Wanted, block: Hash): Promise<BlueAccount[]> {
    const asked = { read: this.accountsRead(wanted), count: wanted.size };
    return agreedAccounts(this.chain, asked, block, () => this.accounts(wanted, block));
  }

  /** Every account that borrowed in a range of blocks, both ends included, with the markets. */
  async borrowers(fromBlock: number, toBlock: number): Promise<Map<Address, Set<Hash>>> {
    const { morpho } = this.settings;
    const logs = await this.chain.getLogs({ fromBlock, toBlock }, [morpho], [TOPIC.borrow], HISTORY);
    const found = new Map<Address, Set<Hash>>();
    for (const change of changesOf(this.settings, logs))
      if (change.kind === 'borrow') addTo(found, change.borrower, change.marketId);
    return found;
  }

  private accountsRead(wanted: Wanted): Read<BlueAccount[]> {
    return each(
      [...wanted].map(([account, ids]) => {
        const markets = [...ids];
        const positions = each(markets.map((id) => positionRead(this.settings, id, account)));
        return {
          calls: positions.calls,
          decode: (results) => {
            const read = positions.decode(results);
            const legs = markets.flatMap((id, index) => {
              const position = read[index];
              return position ? [[id, position] as const] : [];
            });
            return accountOf(account, new Map(legs));
          },
        };
      }),
    );
  }
}

/** Adds to the set of a key. */
export function addTo<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

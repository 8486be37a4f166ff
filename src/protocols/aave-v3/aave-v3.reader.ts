import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { HaltError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, readEverywhere, together } from '../../rpc/chain/read.js';
import { borrowersOf, borrowFilter } from './borrowers.js';
import type { AaveAccount, AaveMarket, EMode } from './market.js';
import {
  accountRead,
  addressRead,
  eModeRead,
  reserveAddressRead,
  reserveRead,
  SELECTORS,
  uintRead,
} from './reads.js';
import { rulesOf, SUPPORTED_VERSIONS } from './versions.js';

const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';
/** Category ids are uint8, and governance may give any of them. */
const HIGHEST_EMODE_CATEGORY = 255;
const USD8_UNIT = 10n ** 8n;

/**
 * A scaled balance costs a node some 8,000 gas. A call with this many of them stays well below a cap of 50M.
 */
const BALANCES_PER_CALL = 2_500;

/** Accounts that are asked of every endpoint at once. A block brings fewer. */
const MOST_AGREED = 64;
/** How long the slower endpoint is waited for. Milliseconds. */
const EACH_MS = 500;

/** History is read from the archive endpoint, when one is configured. Such an answer takes longer. */
const HISTORY = { archive: true, deadlineMs: 15_000 } as const;

/** Reads an Aave v3 pool and its accounts from the chain, every answer pinned to one block. */
@Injectable()
export class AaveV3Reader {
  constructor(private readonly chain: Chain) {}

  /**
   * The whole market at a block.
   * @throws HaltError when the rules of the pool's version are not known, or when its oracle does not count
   *   in USD.
   */
  async market(name: string, addressesProvider: Address, block: Hash): Promise<AaveMarket> {
    const pool = await readAt(
      this.chain,
      addressRead(addressesProvider, SELECTORS.getPool, `${name}: the pool`),
      block,
    );
    // Before anything else: pools of other versions do not have all the functions that are called below.
    const revision = await readAt(
      this.chain,
      uintRead(pool, SELECTORS.poolRevision, `${name}: POOL_REVISION`),
      block,
    );
    const rules = rulesOf(Number(revision));
    if (!rules)
      throw new HaltError(
        `${name}: the pool has POOL_REVISION ${revision}, whose liquidation rules are not known; known: Aave ${SUPPORTED_VERSIONS}`,
        'books',
      );
    const [poolConfigurator, oracle, sentinel] = await readAt(
      this.chain,
      together(
        addressRead(addressesProvider, SELECTORS.getPoolConfigurator, `${name}: the pool configurator`),
        addressRead(addressesProvider, SELECTORS.getPriceOracle, `${name}: the price oracle`),
        addressRead(addressesProvider, SELECTORS.getPriceOracleSentinel, `${name}: the oracle sentinel`),
      ),
      block,
    );
    const [count, unit, eModes] = await readAt(
      this.chain,
      together(
        uintRead(pool, SELECTORS.getReservesCount, `${name}: the number of reserves`),
        uintRead(oracle, SELECTORS.baseCurrencyUnit, `${name}: the oracle's unit`),
        each(Array.from({ length: HIGHEST_EMODE_CATEGORY }, (_, index) => eModeRead(pool, index + 1))),
      ),
      block,
    );
    if (unit !== USD8_UNIT)
      throw new HaltError(
        `${name}: the oracle's unit is ${unit}, USD with 8 decimals (${USD8_UNIT}) was expected`,
      );

    const ids = Array.from({ length: Number(count) }, (_, reserveId) => reserveId);
    const assets = await readAt(
      this.chain,
      each(ids.map((reserveId) => reserveAddressRead(pool, reserveId))),
      block,
    );
    const reserves = await readAt(
      this.chain,
      each(
        assets.flatMap((asset, reserveId) =>
          asset === ZERO_ADDRESS ? [] : [reserveRead(pool, reserveId, asset)],
        ),
      ),
      block,
    );
    return {
      name,
      addressesProvider,
      pool,
      poolConfigurator,
      oracle,
      sentinel: rules.asksSentinel && sentinel !== ZERO_ADDRESS ? sentinel : undefined,
      rules,
      reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
      eModes: new Map(
        eModes.filter((mode): mode is EMode => mode !== undefined).map((mode) => [mode.id, mode]),
      ),
    };
  }

  /** The accounts as they stand at a block, in the order given. */
  accounts(market: AaveMarket, addresses: readonly Address[], block: Hash): Promise<AaveAccount[]> {
    const reads = each(addresses.map((address) => accountRead(market, address)));
    return readAt(this.chain, reads, block, { chunk: BALANCES_PER_CALL });
  }

  /**
   * The accounts on which every endpoint that answers agrees (F42): what one of them invents must not enter
   * the books. For the few accounts that a block brings; a history is read by {@link accounts}, and proved by
   * the totals.
   *
   * @throws RetryError when no endpoint answers.
   */
  async agreedAccounts(
    market: AaveMarket,
    addresses: readonly Address[],
    block: Hash,
  ): Promise<AaveAccount[]> {
    if (addresses.length === 0) return [];
    if (!this.chain.hasTwoEndpoints || addresses.length > MOST_AGREED)
      return this.accounts(market, addresses, block);
    const read = each(addresses.map((address) => accountRead(market, address)));
    const [heard, ...others] = await readEverywhere(this.chain, read, block, { deadlineMs: EACH_MS });
    if (!heard) return this.accounts(market, addresses, block);
    return heard.filter((account, index) =>
      others.every((other) => isDeepStrictEqual(other[index], account)),
    );
  }

  /** Every account that took debt in a range of blocks, both ends included. */
  async borrowers(market: AaveMarket, fromBlock: number, toBlock: number): Promise<Set<Address>> {
    const { address, topics } = borrowFilter(market);
    return borrowersOf(await this.chain.getLogs({ fromBlock, toBlock }, [address], topics, HISTORY));
  }
}

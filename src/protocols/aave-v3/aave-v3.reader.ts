import { Injectable } from '@nestjs/common';
import { HaltError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, together } from '../../rpc/chain/read.js';
import { agreedAccounts } from '../agreed-accounts.js';
import { borrowersOf, borrowFilter } from './borrowers.js';
import { MarketRefused } from '../market-refused.js';
import type { AaveAccount, AaveMarket, EMode } from './market.js';
import {
  accountRead,
  addressesRead,
  addressRead,
  eModeBefore32Read,
  eModeRead,
  functionsRead,
  isOfFirstVersion,
  reserveRead,
  SELECTORS,
  uintRead,
  ZERO_ADDRESS,
  type ReadReserve,
} from './reads.js';
import type { LiquidationRules } from './rules/rules.js';
import { needsFunctions, rulesOf, SUPPORTED_VERSIONS } from './versions.js';

/** Category ids are uint8, and governance may give any of them. */
const HIGHEST_EMODE_CATEGORY = 255;
const USD8_UNIT = 10n ** 8n;

/**
 * A scaled balance costs a node some 8,000 gas. A call with this many of them stays well below a cap of 50M.
 */
const BALANCES_PER_CALL = 2_500;

/** History is read from the archive endpoint, when one is configured. Such an answer takes longer. */
const HISTORY = { archive: true, deadlineMs: 15_000 } as const;

/** Reads an Aave v3 pool and its accounts from the chain, every answer pinned to one block. */
@Injectable()
export class AaveV3Reader {
  constructor(private readonly chain: Chain) {}

  /**
   * The whole market at a block.
   * @throws MarketRefused when the rules of the pool's version are not known, or debts at a stable rate
   *   exist.
   * @throws HaltError when its oracle does not count in USD.
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
    const rules = await this.rules(name, pool, Number(revision), block);
    const readEMode = rules.functions.eModes === 'bitmaps' ? eModeRead : eModeBefore32Read;
    const [poolConfigurator, oracle, sentinel, assets, eModes] = await readAt(
      this.chain,
      together(
        addressRead(addressesProvider, SELECTORS.getPoolConfigurator, `${name}: the pool configurator`),
        addressRead(addressesProvider, SELECTORS.getPriceOracle, `${name}: the price oracle`),
        addressRead(addressesProvider, SELECTORS.getPriceOracleSentinel, `${name}: the oracle sentinel`),
        addressesRead(pool, SELECTORS.getReservesList, `${name}: the reserves`),
        each(Array.from({ length: HIGHEST_EMODE_CATEGORY }, (_, index) => readEMode(pool, index + 1))),
      ),
      block,
    );
    const [unit, read] = await readAt(
      this.chain,
      together(
        uintRead(oracle, SELECTORS.baseCurrencyUnit, `${name}: the oracle's unit`),
        each(assets.map((asset) => reserveRead(pool, rules, asset))),
      ),
      block,
    );
    if (unit !== USD8_UNIT)
      throw new HaltError(
        `${name}: the oracle's unit is ${unit}, USD with 8 decimals (${USD8_UNIT}) was expected`,
      );
    if (rules.functions.stableDebt) await this.refuseOldDebt(name, read, block);
    return {
      name,
      addressesProvider,
      pool,
      poolConfigurator,
      oracle,
      sentinel: rules.asksSentinel && sentinel !== ZERO_ADDRESS ? sentinel : undefined,
      rules,
      reserves: new Map(read.map(({ reserve }) => [reserve.id, reserve])),
      eModes: new Map(eModes.flatMap((mode) => (mode ? [[mode.id, withReserves(mode, rules, read)]] : []))),
      ...(rules.functions.stableDebt
        ? { stableDebtTokens: read.map(({ stableDebtToken }) => stableDebtToken) }
        : {}),
    };
  }

  /** @throws MarketRefused when they are not known. */
  private async rules(name: string, pool: Address, revision: number, block: Hash): Promise<LiquidationRules> {
    const functions = needsFunctions(revision)
      ? await readAt(this.chain, functionsRead(pool), block)
      : undefined;
    const rules = rulesOf(revision, functions);
    if (rules) return rules;
    throw new MarketRefused(
      `${name}: the pool has POOL_REVISION ${revision}, whose liquidation rules are not known; known: Aave ${SUPPORTED_VERSIONS}`,
    );
  }

  /**
   * Before 3.2: debts at a stable rate are not followed. An account that has one would be computed wrong, and
   * the sums of all debts would not prove that every borrower is known. The tokens of 3.0.0 tell transfers in
   * another way.
   *
   * @throws MarketRefused
   */
  private async refuseOldDebt(name: string, read: readonly ReadReserve[], block: Hash): Promise<void> {
    const asked = each(
      read.map(({ reserve, stableDebtToken }) =>
        together(
          uintRead(stableDebtToken, SELECTORS.totalSupply, `${name}: the stable debt of ${reserve.symbol}`),
          isOfFirstVersion(reserve.aToken),
        ),
      ),
    );
    const answers = await readAt(this.chain, asked, block);
    for (const [index, { reserve }] of read.entries()) {
      const [stableDebt, isFirst] = answers[index] ?? [0n, false];
      if (stableDebt > 0n)
        throw new MarketRefused(
          `${name}: there is debt of ${reserve.symbol} at a stable rate, which this bot does not follow`,
        );
      if (isFirst)
        throw new MarketRefused(
          `${name}: the aToken of ${reserve.symbol} is of Aave 3.0.0, whose transfers are not known; known: Aave ${SUPPORTED_VERSIONS}`,
        );
    }
  }

  /** The accounts as they stand at a block, in the order given. */
  accounts(market: AaveMarket, addresses: readonly Address[], block: Hash): Promise<AaveAccount[]> {
    const reads = each(addresses.map((address) => accountRead(market, address)));
    return readAt(this.chain, reads, block, { chunk: BALANCES_PER_CALL });
  }

  /** See {@link agreedAccounts}. @throws RetryError when no endpoint answers. */
  agreedAccounts(market: AaveMarket, addresses: readonly Address[], block: Hash): Promise<AaveAccount[]> {
    const read = each(addresses.map((address) => accountRead(market, address)));
    const fromOne = (): Promise<AaveAccount[]> => this.accounts(market, addresses, block);
    return agreedAccounts(this.chain, { read, count: addresses.length }, block, fromOne);
  }

  /** Every account that took debt in a range of blocks, both ends included. */
  async borrowers(market: AaveMarket, fromBlock: number, toBlock: number): Promise<Set<Address>> {
    const { address, topics } = borrowFilter(market);
    return borrowersOf(await this.chain.getLogs({ fromBlock, toBlock }, [address], topics, HISTORY));
  }
}

/** The category with the reserves that name it as their only one; as it is where it names them itself. */
function withReserves(mode: EMode, { functions }: LiquidationRules, read: readonly ReadReserve[]): EMode {
  if (functions.eModes === 'bitmaps') return mode;
  const ids = read.filter(({ eMode }) => eMode === mode.id).map(({ reserve }) => reserve.id);
  return { ...mode, collateralBitmap: ids.reduce((bitmap, id) => bitmap | (1n << BigInt(id)), 0n) };
}

import { Interface, MaxUint256 } from 'ethers';
import { expect } from 'vitest';
import { TOKEN_SYMBOLS } from '../../devnet/index.js';
import type { Address } from '../../src/domain/hex.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import { applyChanges } from '../../src/protocols/aave-v3/account-changes.js';
import { changesOf, watchedLogs, withUpdates } from '../../src/protocols/aave-v3/events.js';
import { maxLiquidatableDebt } from '../../src/protocols/aave-v3/liquidation.js';
import type { AaveAccount, AaveMarket } from '../../src/protocols/aave-v3/market.js';
import { sendFrom } from '../../testing/transactions.js';
import { snapshotOf, UNLIMITED, type AaveWorld, type Snapshot } from './aave-world.js';

const POOL = new Interface([
  'function supply(address,uint256,address,uint16)',
  'function withdraw(address,uint256,address)',
  'function borrow(address,uint256,uint256,uint16,address)',
  'function repay(address,uint256,uint256,address)',
  'function setUserUseReserveAsCollateral(address,bool)',
  'function setUserEMode(uint8)',
  'function liquidationCall(address,address,address,uint256,bool)',
  'function transfer(address,uint256)',
]);

interface Action {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly data: string;
}

/**
 * Random actions of users, each in a block of its own. After each, positions and indexes that follow from
 * the logs are compared with the chain, to the unit.
 *
 * @returns how often each kind of action was mined.
 */
export async function compareBooks(
  world: AaveWorld,
  { count, random }: { count: number; random: () => number },
): Promise<Record<string, number>> {
  let now = await snapshotOf(world);
  let { market } = now;
  const books = new Map(now.accounts.map((account) => [account.address, account]));
  const mined: Record<string, number> = {};
  for (let tries = 0, done = 0; done < count && tries < 20 * count; tries++) {
    const action = actionOn(world, now, random);
    if (!action || !(await succeeds(world, action))) continue;
    await world.devnet.rpc('evm_increaseTime', [1 + Math.floor(random() * 40_000)]);
    await sendFrom(world.devnet, action.from, action);
    mined[action.name] = (mined[action.name] ?? 0) + 1;
    done += 1;
    now = await snapshotOf(world);
    market = await compareAfter(world, now, market, books, action.name);
  }
  return mined;
}

/** @returns the market after the block. */
async function compareAfter(
  world: AaveWorld,
  { block, accounts, market: onChain }: Snapshot,
  market: AaveMarket,
  books: Map<Address, AaveAccount>,
  context: string,
): Promise<AaveMarket> {
  const { number } = block;
  const contracts = [...watchedLogs(market).keys()];
  const logs = await world.chain.getLogs({ fromBlock: number, toBlock: number }, contracts, []);
  const changes = changesOf(market, logs);
  const { changed, contradicted } = applyChanges(changes.accounts, (address) => books.get(address));
  expect([...contradicted], context).toEqual([]);
  for (const [address, account] of changed) books.set(address, account);
  for (const account of accounts) expect(books.get(account.address), context).toEqual(account);
  const after = withUpdates(market, changes, block.timestamp);
  for (const [id, { indexes }] of onChain.reserves)
    expect(after.reserves.get(id)?.indexes, context).toEqual(indexes);
  return after;
}

async function succeeds({ devnet }: AaveWorld, { from, to, data }: Action): Promise<boolean> {
  return devnet.rpc('eth_call', [{ from, to, data }, 'latest']).then(
    () => true,
    () => false,
  );
}

function actionOn(
  { devnet, borrowers }: AaveWorld,
  { market, conditions, liquidatable }: Snapshot,
  random: () => number,
): Action | undefined {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const portion = (amount: bigint): bigint =>
    (amount * BigInt(Math.floor(random() * 1_000_000))) / 1_000_000n + 1n;
  const borrower = pick(borrowers) ?? '';
  const { trader } = devnet.accounts;
  const symbol = pick(TOKEN_SYMBOLS) ?? 'WETH';
  const { address: asset, decimals } = devnet.tokens[symbol];
  const reserve = [...market.reserves.values()].find((one) => one.asset === asset.toLowerCase());
  const amount = portion(10n ** BigInt(decimals) / 4n);
  const call = (name: string, from: string, args: readonly unknown[], to: string = market.pool): Action => ({
    name,
    from,
    to,
    data: POOL.encodeFunctionData(name, [...args]),
  });
  switch (Math.floor(random() * 9)) {
    case 0:
      return call('supply', trader, [asset, amount, borrower, 0]);
    case 1:
      return call('repay', trader, [asset, random() < 0.2 ? 2n ** 255n : amount, 2, borrower]);
    case 2:
      return call('borrow', borrower, [asset, amount, 2, 0, borrower]);
    case 3:
      return call('withdraw', borrower, [asset, random() < 0.2 ? MaxUint256 : amount, borrower]);
    case 4:
      return call('setUserUseReserveAsCollateral', borrower, [asset, random() < 0.5]);
    case 5:
      return call('setUserEMode', borrower, [random() < 0.5 ? 0 : 1]);
    case 6:
      return call('transfer', borrower, [pick(borrowers), amount], reserve?.aToken);
    default: {
      const position = pick(liquidatable);
      if (!position) return undefined;
      const pairs = liquidationPairs(market.rules, position.data, conditions.timestamp, UNLIMITED);
      const terms = pick(pairs)?.terms;
      if (!terms) return undefined;
      const most = random() < 0.3 ? MaxUint256 : portion(maxLiquidatableDebt(terms));
      const [collateral, debt] = [terms.collateral.reserve.asset, terms.debt.reserve.asset];
      const args = [collateral, debt, position.account.address, most, random() < 0.5];
      return call('liquidationCall', trader, args);
    }
  }
}

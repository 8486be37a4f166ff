/** What planners need of a node that simulates, without a chain: one header, one price, results of calls. */
import { Interface } from 'ethers';
import { parseConfig } from '../src/config/index.js';
import { CHIMERA_ABI } from '../src/contract/bindings.js';
import { uintWord, type Hex } from '../src/domain/hex.js';
import { USD8 } from '../src/domain/money.js';
import { bySize } from '../src/domain/bid.js';
import { NO_OFFERS } from '../src/liquidity/lenders/offers.js';
import type { PlanningContext } from '../src/planner/planning-context.js';
import { anAllowance } from './builders/allowance.js';
import { addressOf, BLOCK, opportunityOf, positionOf, USDC, WETH } from './builders/opportunities.js';
import { LEAST, VARIABLES } from './configuration.js';
import { ConstantProductPool } from './fakes/constant-product-pool.js';
import { FakeChainFees } from './fakes/fake-chain-fees.js';
import { viewOfPools } from './pools.js';

export const ETHER = 10n ** 18n;
const abi = new Interface(CHIMERA_ABI);
export const config = parseConfig(LEAST, VARIABLES);
export const fees = new FakeChainFees({ l1Fee: ETHER / 100_000n, operatorFee: 0n });
/** Deep, at $2,700 for one WETH. */
const pools = viewOfPools([
  new ConstantProductPool(addressOf('01'), [WETH, USDC], [100_000n * ETHER, 270_000_000n * 10n ** 6n]),
]);
export const small = opportunityOf(positionOf({ weth: 2n, usdc: 4_700n }), undefined, addressOf('b1'));
export const large = opportunityOf(positionOf(), undefined, addressOf('b2'));
export const context: PlanningContext = {
  block: BLOCK,
  pools,
  lenders: NO_OFFERS,
  nativePriceUsd8: 2_500n * USD8,
  operator: addressOf('0e'),
  pending: [],
  marketNativePricesUsd8: [],
  bidOf: bySize(config.planner),
  allowance: anAllowance(),
};

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
export const header = {
  number: hex(BLOCK.number),
  hash: BLOCK.hash,
  parentHash: BLOCK.parentHash,
  timestamp: hex(BLOCK.timestamp),
  baseFeePerGas: hex(BLOCK.baseFeePerGas),
};
const ROUND: Hex = `0x${[1n, context.nativePriceUsd8, 0n, BigInt(BLOCK.timestamp), 1n].map(uintWord).join('')}`;
const aggregate3 = new Interface([
  'function aggregate3((address,bool,bytes)[]) returns ((bool success, bytes returnData)[])',
]);
/** The price of the native token. */
export const NATIVE_PRICE = aggregate3.encodeFunctionResult('aggregate3', [[[true, ROUND]]]);

export interface SimulatedAnswer {
  readonly status: Hex;
  readonly returnData: Hex;
  readonly gasUsed: Hex;
}

export const succeeds = (profit: bigint): SimulatedAnswer => {
  const outcome = [1_000n * 10n ** 6n, ETHER, 0n, 0n, 0n, 0n, profit, 0n];
  return { status: '0x1', returnData: `0x${outcome.map(uintWord).join('')}`, gasUsed: '0x6ddd0' };
};
/** As the contract would: a fifth more than the call asks for. */
export const succeedsAsAsked = ({ input }: { readonly input: string }): SimulatedAnswer =>
  succeeds((floorOf(input) * 6n) / 5n);
/** The first floor of the calldata of one liquidation: behind flags, market, borrower and pair. */
export function floorOf(input: string): bigint {
  const start = 2 + 8 + 128 + 2 * (12 + 1 + 4 * 20);
  return BigInt(`0x0${input.slice(start, start + 32)}`);
}
export const reverts = (returnData: Hex): SimulatedAnswer => ({
  status: '0x0',
  returnData,
  gasUsed: '0x6ddd0',
});
export const BELOW_FLOOR = reverts(abi.encodeErrorResult('ProfitBelowFloor', [1n, 2n]) as Hex);

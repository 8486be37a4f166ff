/** Borrowers of the foreign world, who fall below 1 by one step of the prices. */
import { MaxUint256, getAddress, dataSlice, id, parseEther, toQuantity, type Contract } from 'ethers';
import type { Devnet } from '../../devnet/index.js';
import { RpcClient } from '../../devnet/chain/rpc.js';
import { DEFAULT_MAX_FEE_WEI, TransactionQueue } from '../../devnet/chain/transactions.js';
import type { SeededRandom } from '../../devnet/random.js';
import { unitsWorth, type ForeignSymbol, type ForeignToken, type ForeignTokens } from './tokens.js';

export interface ForeignPosition {
  readonly borrower: string;
  readonly collaterals: readonly ForeignToken[];
  readonly debts: readonly ForeignToken[];
}

type Layout = readonly [collaterals: readonly ForeignSymbol[], debts: readonly ForeignSymbol[]];

const LAYOUT: readonly Layout[] = [
  [['BTCX'], ['USDX']],
  [['BTCX'], ['USDX']],
  [['BTCX'], ['USDC']],
  [['BTCX'], ['GOLD']],
  [['BTCX'], ['FARM']],
  [['OLDE'], ['USDX']],
  [['OLDE'], ['WETH']],
  [['OLDE'], ['GOLD']],
  [['OLDE'], ['FARM']],
  [['GIGA'], ['USDX']],
  [['COPR'], ['USDX']],
  [['COPR'], ['WETH']],
  [['COPR'], ['GOLD']],
  [['COPR'], ['EURO']],
  [['MESH'], ['USDX']],
  [['MESH'], ['EURO']],
  [['MESH'], ['WETH']],
  [['MESH'], ['FARM']],
  [['MIDL'], ['WETH']],
  [['MIDL'], ['USDX']],
  [['MIDL'], ['GOLD']],
  [['DEEP'], ['WETH']],
  [['DEEP'], ['GOLD']],
  [['DEEP'], ['USDX']],
  [['VAMM'], ['USDX']],
  [['VAMM'], ['WETH']],
  [['OLDE', 'MIDL'], ['USDX']],
  [
    ['BTCX', 'COPR'],
    ['USDX', 'GOLD'],
  ],
  [
    ['GIGA', 'OLDE', 'MESH'],
    ['USDX', 'EURO'],
  ],
  [
    ['BTCX', 'DEEP'],
    ['WETH', 'EURO'],
  ],
  [
    ['MESH', 'COPR'],
    ['FARM', 'USDC'],
  ],
];

/** Most of it is lent out, and little is left to pay out to liquidators. */
const DRAINED = 'GIGA';
const LEFT_USD = 1_500;
const LENT_USD = 2_000_000;
const TRANSACTION_GAS = 1_500_000n;
const VARIABLE_RATE = 2n;

/** Fills the lender, drains one reserve, and opens all positions a little above 1. */
export async function openPositions(
  devnet: Devnet,
  tokens: ForeignTokens,
  random: SeededRandom,
): Promise<ForeignPosition[]> {
  const { aavePool } = devnet.contracts;
  const { deployer, supplier } = devnet.accounts;
  const queue = new TransactionQueue(new RpcClient(devnet.rpcUrl), aavePool.interface);
  const positions = LAYOUT.map(([collaterals, debts], index) => ({
    borrower: accountOf(`foreign borrower ${index}`),
    collaterals: collaterals.map((symbol) => tokenOf(tokens, symbol)),
    debts: debts.map((symbol) => tokenOf(tokens, symbol)),
  }));
  const whale = accountOf('foreign whale');
  const accounts = [whale, ...positions.map(({ borrower }) => borrower)];
  for (const account of accounts)
    await devnet.rpc('anvil_setBalance', [account, toQuantity(parseEther('100'))]);
  await queue.track([deployer, supplier, ...accounts]);

  // Of one block, the dearest come first.
  let feeWei = 2_000n * DEFAULT_MAX_FEE_WEI;
  const call = (from: string, contract: Contract, method: string, ...args: unknown[]): void =>
    queue.add({
      label: `${method} by ${from}`,
      from,
      to: contract.target as string,
      data: contract.interface.encodeFunctionData(method, args),
      gas: TRANSACTION_GAS,
      maxFeePerGasWei: (feeWei -= DEFAULT_MAX_FEE_WEI),
    });
  const supply = ({ address }: ForeignToken, amount: bigint, account: string): void =>
    call(supplier, aavePool, 'supply', address, amount, account, 0);
  const borrow = ({ address }: ForeignToken, amount: bigint, account: string): void =>
    call(account, aavePool, 'borrow', address, amount, VARIABLE_RATE, 0, account);

  for (const token of tokens.values()) {
    if (!token.aggregator) continue;
    call(deployer, token.contract, 'mint', supplier, unitsWorth(token, 10 * LENT_USD));
    call(supplier, token.contract, 'approve', aavePool.target, MaxUint256);
    supply(token, unitsWorth(token, LENT_USD), supplier);
  }
  for (const { borrower, collaterals, debts } of positions) {
    // At first 82 % of the collateral count, for 114 % of what it is worth later.
    const usd = random.magnitude(1_200, 45_000);
    const owedUsd = usd * random.between(0.84, 0.895);
    for (const token of collaterals) supply(token, unitsWorth(token, usd / collaterals.length), borrower);
    for (const token of debts) borrow(token, unitsWorth(token, owedUsd / debts.length), borrower);
  }
  // A node that makes a block for each transaction takes them in an order of its own.
  await devnet.rpc('evm_setAutomine', [false]);
  await queue.mine(() => devnet.mine());

  const drained = tokenOf(tokens, DRAINED);
  supply(tokenOf(tokens, 'USDC'), unitsWorth(tokenOf(tokens, 'USDC'), 10 * LENT_USD), whale);
  const cash = (await aavePool.getFunction('getVirtualUnderlyingBalance')(drained.address)) as bigint;
  borrow(drained, cash - unitsWorth(drained, LEFT_USD), whale);
  await queue.mine(() => devnet.mine());
  await devnet.rpc('evm_setAutomine', [true]);
  return positions;
}

/** The feeds of all falling tokens, in one block: where the pools have been from the beginning. */
export async function fall(devnet: Devnet, tokens: ForeignTokens): Promise<void> {
  for (const { falls, aggregator, priceUsd8 } of tokens.values()) {
    if (!falls || !aggregator) continue;
    const data = aggregator.interface.encodeFunctionData('setAnswer', [priceUsd8]);
    const { deployer } = devnet.accounts;
    await devnet.rpc('eth_sendTransaction', [{ from: deployer, to: aggregator.target, data }]);
  }
}

function tokenOf(tokens: ForeignTokens, symbol: ForeignSymbol): ForeignToken {
  const token = tokens.get(symbol);
  if (!token) throw new Error(`no such token: ${symbol}`);
  return token;
}

function accountOf(name: string): string {
  return getAddress(dataSlice(id(name), 12));
}

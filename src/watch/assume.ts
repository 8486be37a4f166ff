import { concat, Interface, keccak256, toUtf8Bytes } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { CREATION_CODE } from '../contract/creation-code.js';
import { chainDescription } from '../domain/chain-description.js';
import { StartupError, messageOf } from '../domain/errors.js';
import { addressWord, toAddress, uintWord, type Address, type Hash, type Hex } from '../domain/hex.js';
import { counterpartiesOf, factoriesOf, lendersOf, wrappersOf } from '../preflight/check-contracts.js';
import { marketsOf } from '../preflight/preflight.js';
import { blockParam } from '../rpc/chain/chain-answers.js';
import { Chain } from '../rpc/chain/chain.js';
import { AssumedContract } from '../rpc/endpoints/assumed-contract.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { hexQuantity, toData } from '../rpc/quantities.js';

/** The places of Chimera's variables, as the compiler lays them out: Roles.sol. The flag `paused` is 0. */
const SLOTS = { treasury: 0, owner: 1, isExecutor: 3, kindOf: 4 } as const;

/** What the assumed wallet holds: 10 ETH, enough for the limits of the shipped configurations. Wei. */
const BALANCE_WEI = 10n * 10n ** 18n;

/** An address that no key and no creation leads to. */
const addressNamed = (name: string): Address =>
  toAddress(`0x${keccak256(toUtf8Bytes(`chimera: ${name} of a bot that watches`)).slice(-40)}`);

export const ASSUMED_ADDRESS = addressNamed('the contract');
export const ASSUMED_OPERATOR = addressNamed('the operator');
const OWNER = addressNamed('the owner');
const TREASURY = addressNamed('the treasury');

export interface Assumption {
  readonly contract: AssumedContract;
  /** What our contract calls in each market, by the configured name of the market. */
  readonly markets: ReadonlyMap<string, Address>;
}

/**
 * Our contract as `npm run deploy:contract` would deploy it for this configuration: its code as its
 * constructor makes it, its executor, and every contract that it may call.
 *
 * @throws StartupError when the node does not run the constructor, or a configured market is another
 *   contract.
 */
export async function assumeContract(config: ChimeraConfig, pool: RpcPool): Promise<Assumption> {
  const chain = new Chain(pool);
  const markets = marketsOf(chain, config);
  const block = await chain.getBlock('latest');
  const [code, found] = await Promise.all([
    runtimeCode(config, pool),
    counterpartiesOf(chain, markets, block.hash),
  ]);
  const problems = found.filter((one) => typeof one === 'string');
  if (problems.length > 0) throw new StartupError(problems);
  const counterparties = [
    ...found.filter((one) => typeof one !== 'string'),
    ...factoriesOf(config),
    ...lendersOf(config),
    ...wrappersOf(config),
  ];
  const stateDiff: Record<Hash, Hash> = {
    [slot(SLOTS.treasury)]: word(BigInt(TREASURY)),
    [slot(SLOTS.owner)]: word(BigInt(OWNER)),
    [slotOf(SLOTS.isExecutor, ASSUMED_OPERATOR)]: word(1n),
  };
  for (const { address, kind } of counterparties)
    stateDiff[slotOf(SLOTS.kindOf, address)] = word(BigInt(kind));
  const contract = new AssumedContract(ASSUMED_ADDRESS, ASSUMED_OPERATOR, {
    [ASSUMED_ADDRESS]: { code, stateDiff },
    [ASSUMED_OPERATOR]: { balance: BALANCE_WEI },
  });
  const named = markets.flatMap(({ name }, index): [string, Address][] => {
    const one = found[index];
    return one === undefined || typeof one === 'string' ? [] : [[name, one.address]];
  });
  return { contract, markets: new Map(named) };
}

/** A call without a receiver runs the constructor and answers the code that it leaves. */
async function runtimeCode({ liquidity, network }: ChimeraConfig, pool: RpcPool): Promise<Hex> {
  const constructor = new Interface(['constructor(address, address, address, address)']);
  const { wrappedNative } = chainDescription(network.chainId);
  const settings = [OWNER, TREASURY, liquidity.uniswapV3.factory, wrappedNative];
  const data = concat([CREATION_CODE, constructor.encodeDeploy(settings)]);
  try {
    // Some nodes ask whether the sender can pay for the gas.
    const rich = { [OWNER]: { balance: hexQuantity(BALANCE_WEI) } };
    const params = [{ from: OWNER, data }, blockParam('latest'), rich];
    return await pool.call('eth_call', params, (raw) => toData(raw));
  } catch (error) {
    throw new StartupError([
      `rpc: the node does not run the constructor of the contract by eth_call, by which its code is found (${messageOf(error)})`,
    ]);
  }
}

const word = (value: bigint): Hash => `0x${uintWord(value)}`;
const slot = (place: number): Hash => word(BigInt(place));

/** Of a mapping's value: keccak256(key . place). */
function slotOf(place: number, key: Address): Hash {
  return keccak256(`0x${addressWord(key)}${uintWord(place)}`) as Hash;
}

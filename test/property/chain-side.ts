import { Interface, type Contract } from 'ethers';
import type { Block } from '../../src/domain/block.js';
import { toAddress, uintAt, type Address, type Hex } from '../../src/domain/hex.js';
import type { ReserveIndexes } from '../../src/protocols/aave-v3/market.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import type { MulticallCall, MulticallResult } from '../../src/rpc/chain/multicall3.js';
import type { Cast } from './cast.js';

export interface ChainReserve {
  readonly id: number;
  readonly asset: Address;
  readonly aToken: Address;
  readonly variableDebtToken: Address;
  readonly frozen: boolean;
  readonly paused: boolean;
  readonly borrowable: boolean;
  readonly indexes: ReserveIndexes;
  /** The asset's smallest units. */
  readonly deficit: bigint;
  /** Undefined where the oracle has none. */
  readonly priceUsd8: bigint | undefined;
}

export interface ChainLeg {
  readonly reserve: ChainReserve;
  readonly scaledSupply: bigint;
  readonly usedAsCollateral: boolean;
  readonly scaledDebt: bigint;
}

export interface ChainAccount {
  readonly address: Address;
  readonly eMode: number;
  /** One per listed reserve. */
  readonly legs: readonly ChainLeg[];
  /** Pool.getUserAccountData; undefined where it reverts, which it does without a price. */
  readonly data: ChainData | undefined;
}

export interface ChainData {
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  readonly availableUsd8: bigint;
  readonly healthFactorWad: bigint;
}

/** The market and every account in it, as the contracts have them at one block. */
export interface ChainSide {
  readonly block: Block;
  readonly reserves: readonly ChainReserve[];
  readonly accounts: readonly ChainAccount[];
}

const SCALED = new Interface(['function scaledBalanceOf(address) view returns (uint256)']);
/** All of it in one eth_call: the local node gives it the gas of a whole block. */
const WHOLE = { chunk: 2_000 };
const bit = (map: bigint, position: number): boolean => ((map >> BigInt(position)) & 1n) === 1n;

/** Reads the chain's side through the contracts' ABI. It uses none of the code that is tested. */
export class ChainSideReader {
  /** The calls of a run are the same from block to block. */
  private readonly encoded = new Map<string, MulticallCall>();
  private readonly addresses: readonly Address[];

  constructor(
    private readonly chain: Chain,
    private readonly cast: Cast,
  ) {
    this.addresses = [...cast.actors, cast.umbrella, cast.flashReceiver, cast.supplier];
  }

  async read(block: Block): Promise<ChainSide> {
    const reserves = await this.reserves(block);
    const { aavePool } = this.cast.devnet.contracts;
    const calls = this.addresses.flatMap((address) => [
      this.call(aavePool, 'getUserConfiguration', [address]),
      this.call(aavePool, 'getUserEMode', [address]),
      this.call(aavePool, 'getUserAccountData', [address]),
      ...reserves.flatMap(({ aToken, variableDebtToken }) => [
        this.scaledBalance(aToken, address),
        this.scaledBalance(variableDebtToken, address),
      ]),
    ]);
    const results = await this.chain.multicall(calls, block.hash, WHOLE);
    const perAccount = 3 + 2 * reserves.length;
    const accounts = this.addresses.map((address, index) =>
      accountOf(address, reserves, results.slice(index * perAccount, (index + 1) * perAccount)),
    );
    return { block, reserves, accounts };
  }

  private async reserves(block: Block): Promise<ChainReserve[]> {
    const { aavePool, oracle } = this.cast.devnet.contracts;
    const [list] = await this.chain.multicall([this.call(aavePool, 'getReservesList', [])], block.hash);
    const [assets] = aavePool.interface.decodeFunctionResult('getReservesList', dataOf(list)) as unknown as [
      string[],
    ];
    const calls = assets.flatMap((asset) => [
      this.call(aavePool, 'getReserveData', [asset]),
      this.call(aavePool, 'getReserveDeficit', [asset]),
      this.call(oracle, 'getAssetPrice', [asset]),
    ]);
    const results = await this.chain.multicall(calls, block.hash);
    return assets.map((asset, index) => {
      const [data, deficit, price] = results.slice(3 * index, 3 * index + 3);
      const [reserve] = aavePool.interface.decodeFunctionResult(
        'getReserveData',
        dataOf(data),
      ) as unknown as [ReserveData];
      const flags = reserve.configuration.data;
      return {
        id: Number(reserve.id),
        asset: toAddress(asset),
        aToken: toAddress(reserve.aTokenAddress),
        variableDebtToken: toAddress(reserve.variableDebtTokenAddress),
        // ReserveConfiguration.sol: bits 57, 58 and 60.
        frozen: bit(flags, 57),
        borrowable: bit(flags, 58),
        paused: bit(flags, 60),
        indexes: {
          liquidityIndex: reserve.liquidityIndex,
          liquidityRate: reserve.currentLiquidityRate,
          variableBorrowIndex: reserve.variableBorrowIndex,
          variableBorrowRate: reserve.currentVariableBorrowRate,
          updatedAt: Number(reserve.lastUpdateTimestamp),
        },
        deficit: uintAt(dataOf(deficit), 0),
        priceUsd8: price?.success ? uintAt(price.data, 0) : undefined,
      };
    });
  }

  private call(contract: Contract, method: string, args: readonly unknown[]): MulticallCall {
    const key = `${method} ${args.join()}`;
    let call = this.encoded.get(key);
    if (!call) {
      const data = contract.interface.encodeFunctionData(method, [...args]) as Hex;
      call = { to: toAddress(contract.target as string), data };
      this.encoded.set(key, call);
    }
    return call;
  }

  private scaledBalance(token: Address, account: Address): MulticallCall {
    const key = `${token} ${account}`;
    let call = this.encoded.get(key);
    if (!call) {
      call = { to: token, data: SCALED.encodeFunctionData('scaledBalanceOf', [account]) as Hex };
      this.encoded.set(key, call);
    }
    return call;
  }
}

/** DataTypes.ReserveDataLegacy, the fields that are needed. */
interface ReserveData {
  readonly configuration: { readonly data: bigint };
  readonly id: bigint;
  readonly aTokenAddress: string;
  readonly variableDebtTokenAddress: string;
  readonly liquidityIndex: bigint;
  readonly currentLiquidityRate: bigint;
  readonly variableBorrowIndex: bigint;
  readonly currentVariableBorrowRate: bigint;
  readonly lastUpdateTimestamp: bigint;
}

function accountOf(
  address: Address,
  reserves: readonly ChainReserve[],
  [configuration, eMode, data, ...balances]: readonly MulticallResult[],
): ChainAccount {
  const flags = uintAt(dataOf(configuration), 0);
  return {
    address,
    eMode: Number(uintAt(dataOf(eMode), 0)),
    legs: reserves.map((reserve, index) => ({
      reserve,
      scaledSupply: uintAt(dataOf(balances[2 * index]), 0),
      // UserConfigurationMap: two bits a reserve, borrowing and then collateral.
      usedAsCollateral: bit(flags, 2 * reserve.id + 1),
      scaledDebt: uintAt(dataOf(balances[2 * index + 1]), 0),
    })),
    data: data?.success
      ? {
          totalCollateralUsd8: uintAt(data.data, 0),
          totalDebtUsd8: uintAt(data.data, 1),
          availableUsd8: uintAt(data.data, 2),
          healthFactorWad: uintAt(data.data, 5),
        }
      : undefined,
  };
}

function dataOf(result: MulticallResult | undefined): Hex {
  if (!result?.success) throw new Error('the chain did not answer a call that always succeeds');
  return result.data;
}

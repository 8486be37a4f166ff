/** Opens positions on the local Aave market by real supply and borrow calls. */
import { dataSlice, id, toQuantity, getAddress, parseEther } from 'ethers';
import type { Artifact } from '../artifacts/compile.js';
import type { DevnetTokens } from '../deploy/deployment.js';
import { interfaceOf } from '../deploy/deployer.js';
import type { Miner } from '../chain/mining.js';
import type { TokenSymbol } from '../parameters.js';
import type { RpcClient } from '../chain/rpc.js';
import { DEFAULT_MAX_FEE_WEI, TransactionQueue } from '../chain/transactions.js';

/** An amount of a token. */
export interface TokenAmount {
  symbol: TokenSymbol;
  /** The token's smallest units. */
  amount: bigint;
}

export interface CollateralAmount extends TokenAmount {
  /** False: supplied, but switched off as collateral. Default true. */
  useAsCollateral?: boolean;
}

/** A position to open. */
export interface PositionRequest {
  /** Borrower; a fresh account when absent. */
  account?: string;
  collaterals: readonly CollateralAmount[];
  debts: readonly TokenAmount[];
  /** eMode category; 0 or absent for none. */
  eMode?: number;
}

/** Borrowers opened per batch: their calls fit into one or two blocks. */
const POSITIONS_PER_BATCH = 100;

/** For the borrowers' gas. */
const BORROWER_ETHER = parseEther('1');

/** Aave's code for variable interest, the only mode left. */
const VARIABLE_RATE = 2n;

/** A borrow costs about 350,000 gas, a supply 250,000. The limit leaves room for 100 positions in a block. */
const GAS_PER_CALL = 1_000_000n;

export class PositionOpener {
  #accountsMade = 0;

  constructor(
    private readonly rpc: RpcClient,
    private readonly miner: Miner,
    private readonly tokens: DevnetTokens,
    private readonly pool: { address: string; abi: Artifact['abi'] },
    private readonly supplier: string,
  ) {}

  /**
   * Opens positions, a hundred at a time. The collateral is supplied on the borrower's behalf by the
   * supplier; eMode and borrowing are the borrower's own calls.
   * @returns the borrowers' addresses, in order
   * @throws {TransactionFailed} when Aave refuses one of the calls, with Aave's reason
   */
  async open(positions: readonly PositionRequest[]): Promise<string[]> {
    const accounts = positions.map(({ account }) => account ?? this.#freshAccount());
    await this.miner.exclusiveWithoutAutomine(async () => {
      for (let i = 0; i < positions.length; i += POSITIONS_PER_BATCH) {
        const end = i + POSITIONS_PER_BATCH;
        await this.#openBatch(positions.slice(i, end), accounts.slice(i, end));
      }
    });
    return accounts;
  }

  async #openBatch(positions: readonly PositionRequest[], accounts: readonly string[]): Promise<void> {
    const queue = new TransactionQueue(this.rpc, interfaceOf(this.pool.abi));
    await this.rpc.batch(
      accounts.map((account) => ({
        method: 'anvil_setBalance',
        params: [account, toQuantity(BORROWER_ETHER)],
      })),
    );
    await queue.track([...new Set([this.supplier, ...accounts])]);
    positions.forEach((position, i) => this.#queuePosition(queue, position, accounts[i] ?? ''));
    await queue.mine(() => this.miner.mineOne());
  }

  #queuePosition(queue: TransactionQueue, position: PositionRequest, account: string): void {
    const abi = interfaceOf(this.pool.abi);
    const call = (from: string, method: string, args: readonly unknown[], maxFeePerGasWei: bigint): void =>
      queue.add({
        label: `${method} for ${account}`,
        from,
        to: this.pool.address,
        data: abi.encodeFunctionData(method, [...args]),
        gas: GAS_PER_CALL,
        maxFeePerGasWei,
      });
    // Sorted by fee within a block: all supplying comes before all borrowing.
    const first = 2n * DEFAULT_MAX_FEE_WEI;
    const then = DEFAULT_MAX_FEE_WEI;
    for (const { symbol, amount } of position.collaterals) {
      call(this.supplier, 'supply', [this.tokens[symbol].address, amount, account, 0], first);
    }
    for (const { symbol, useAsCollateral } of position.collaterals) {
      if (useAsCollateral === false) {
        call(account, 'setUserUseReserveAsCollateral', [this.tokens[symbol].address, false], then);
      }
    }
    if (position.eMode) call(account, 'setUserEMode', [position.eMode], then);
    for (const { symbol, amount } of position.debts) {
      call(account, 'borrow', [this.tokens[symbol].address, amount, VARIABLE_RATE, 0, account], then);
    }
  }

  #freshAccount(): string {
    this.#accountsMade += 1;
    return getAddress(dataSlice(id(`chimera devnet borrower ${this.#accountsMade}`), 12));
  }
}

import { dataSlice, getAddress, id, toQuantity } from 'ethers';
import { loadArtifacts, type DevnetArtifacts } from '../devnet/artifacts/artifacts.js';
import { RpcClient } from '../devnet/chain/rpc.js';
import { TransactionQueue } from '../devnet/chain/transactions.js';
import { deployMoonwell } from '../devnet/deploy/compound.js';
import { Deployer, interfaceOf } from '../devnet/deploy/deployer.js';
import {
  amountWorth,
  initialPrices,
  TOKEN_SYMBOLS,
  TOKENS,
  type Devnet,
  type TokenSymbol,
} from '../devnet/index.js';
import { toAddress, type Address } from '../src/domain/hex.js';

/** The markets of a Comptroller of the local chain. */
export interface CompoundMarkets {
  readonly comptroller: Address;
  /** In the order of Comptroller.getAllMarkets. */
  readonly markets: readonly CompoundListed[];
}

export interface CompoundListed {
  readonly mToken: Address;
  readonly symbol: TokenSymbol;
  readonly isNative: boolean;
}

const PLENTY_USD8 = 10n ** 8n * 50_000_000n;
const PLENTY_OF_ETHER = 10n ** 24n;
const FAR_MORE_GAS = 2_000_000n;

/** Borrowers with random positions on a Comptroller of the local chain, each made by its own calls. */
export class CompoundWorld {
  readonly accounts: Address[] = [];

  private constructor(
    readonly devnet: Devnet,
    readonly artifacts: DevnetArtifacts,
    readonly on: CompoundMarkets,
    private readonly random: () => number,
    private readonly rpc: RpcClient,
  ) {}

  /** Compound, which is there, or a Moonwell of its own. */
  static async on(
    devnet: Devnet,
    clock: 'block' | 'timestamp',
    random: () => number,
  ): Promise<CompoundWorld> {
    const artifacts = await loadArtifacts();
    const rpc = new RpcClient(devnet.rpcUrl);
    const { comptroller, mTokens, mNative } = devnet.addresses;
    const listed = (of: Record<TokenSymbol, string>): CompoundListed[] =>
      TOKEN_SYMBOLS.map((symbol) => ({ mToken: toAddress(of[symbol]), symbol, isNative: false }));
    if (clock === 'block') {
      const native = { mToken: toAddress(mNative), symbol: 'WETH', isNative: true } as const;
      const on = { comptroller: toAddress(comptroller), markets: [...listed(mTokens), native] };
      return new CompoundWorld(devnet, artifacts, on, random, rpc);
    }
    const queue = new TransactionQueue(rpc, interfaceOf(artifacts.compound.Comptroller.abi));
    await queue.track([devnet.accounts.deployer]);
    const moonwell = deployMoonwell(new Deployer(queue, devnet.accounts.deployer), artifacts, devnet.tokens);
    const on = { comptroller: toAddress(moonwell.comptroller), markets: listed(moonwell.mTokens) };
    const world = new CompoundWorld(devnet, artifacts, on, random, rpc);
    await world.mine(queue);
    // A market logs its index with the first second of interest: no borrower comes before it.
    await rpc.call('evm_increaseTime', [1]);
    await world.supply();
    return world;
  }

  /** The deployer's settings, for which no call of the local chain exists. */
  async govern(
    calls: readonly { readonly to: string; readonly method: string; readonly args: readonly unknown[] }[],
  ): Promise<void> {
    const { deployer } = this.devnet.accounts;
    await this.queued([deployer], (queue) => {
      for (const { to, method, args } of calls) this.add(queue, deployer, to, method, args);
    });
  }

  /** Opens so many positions: one to three collaterals, of which some do not count, and one or two debts. */
  async open(count: number): Promise<void> {
    const made = Array.from({ length: count }, (_, index) =>
      getAddress(
        dataSlice(id(`compound borrower ${this.accounts.length + index} of ${this.on.comptroller}`), 12),
      ),
    );
    const { deployer } = this.devnet.accounts;
    await this.rpc.batch(
      made.map((account) => ({
        method: 'anvil_setBalance',
        params: [account, toQuantity(PLENTY_OF_ETHER)],
      })),
    );
    const plans = made.map((account) => ({ account, ...this.randomPosition() }));
    await this.queued([deployer], (queue) => {
      for (const { account, collaterals } of plans)
        for (const { market, amount } of collaterals)
          if (market.symbol !== 'WETH')
            this.add(queue, deployer, this.token(market), 'mint', [account, amount]);
    });
    await this.queued(made, (queue) => {
      for (const { account, collaterals, entered } of plans) {
        for (const { market, amount } of collaterals) this.addSupply(queue, account, market, amount);
        this.add(queue, account, this.on.comptroller, 'enterMarkets', [entered.map(({ mToken }) => mToken)]);
      }
    });
    await this.queued(made, (queue) => {
      for (const { account, debts } of plans)
        for (const { market, amount } of debts) this.add(queue, account, market.mToken, 'borrow', [amount]);
    });
    this.accounts.push(...made.map(toAddress));
  }

  /** Some of the accounts repay a part of what they owe, so that their debts have indexes of their own. */
  async repaySome(
    owed: ReadonlyMap<Address, readonly { readonly mToken: Address; readonly debt: bigint }[]>,
  ): Promise<void> {
    const { deployer } = this.devnet.accounts;
    const payers = [...owed].filter(() => this.random() < 0.4);
    await this.queued([deployer, ...payers.map(([account]) => account)], (queue) => {
      for (const [account, debts] of payers)
        for (const { mToken, debt } of debts) {
          const market = this.on.markets.find((one) => one.mToken === mToken);
          if (!market || market.isNative) continue;
          const amount = this.part(debt, 0.01, 0.3);
          this.add(queue, account, this.token(market), 'approve', [mToken, amount]);
          this.add(queue, account, mToken, 'repayBorrow', [amount]);
        }
    });
  }

  /** Lets an account repay debts in every token. */
  async equip(account: string): Promise<void> {
    const { deployer } = this.devnet.accounts;
    await this.rpc.call('anvil_setBalance', [account, toQuantity(10n ** 27n)]);
    await this.queued([deployer, account], (queue) => {
      for (const market of this.on.markets) {
        if (market.isNative) continue;
        const plenty = 10n ** BigInt(TOKENS[market.symbol].decimals) * 10_000_000n;
        const token = this.token(market);
        if (market.symbol === 'WETH') this.add(queue, account, token, 'deposit', [], plenty);
        else this.add(queue, deployer, token, 'mint', [account, plenty]);
        this.add(queue, account, token, 'approve', [market.mToken, 2n ** 255n]);
      }
    });
  }

  /** Some part of an amount, at least one unit. */
  part(amount: bigint, least: number, most: number): bigint {
    const share = BigInt(Math.floor((least + this.random() * (most - least)) * 1_000_000));
    return (amount * share) / 1_000_000n || 1n;
  }

  private randomPosition(): {
    collaterals: { market: CompoundListed; amount: bigint }[];
    entered: CompoundListed[];
    debts: { market: CompoundListed; amount: bigint }[];
  } {
    const prices = initialPrices();
    const shuffled = [...this.on.markets].sort(() => this.random() - 0.5);
    const worth = (market: CompoundListed, usd: number): bigint =>
      amountWorth(market.symbol, BigInt(Math.floor(usd * 1e8)), prices[market.symbol]);
    const collaterals = shuffled.slice(0, 1 + Math.floor(this.random() * 3)).map((market) => ({
      market,
      usd: 10 ** (1 + this.random() * 4.5),
    }));
    const entered = collaterals.filter((_, index) => index === 0 || this.random() < 0.75);
    let borrowable = entered.reduce(
      (sum, { market, usd }) => sum + (usd * Number(TOKENS[market.symbol].liquidationThresholdBps)) / 10_000,
      0,
    );
    borrowable *= 0.85 + this.random() * 0.145;
    const borrowed = [...this.on.markets]
      .sort(() => this.random() - 0.5)
      .slice(0, this.random() < 0.5 ? 1 : 2);
    const debts = borrowed.map((market) => ({ market, amount: worth(market, borrowable / borrowed.length) }));
    return {
      collaterals: collaterals.map(({ market, usd }) => ({ market, amount: worth(market, usd) })),
      entered: entered.map(({ market }) => market),
      debts: debts.filter(({ amount }) => amount > 0n),
    };
  }

  private async supply(): Promise<void> {
    const { supplier, deployer } = this.devnet.accounts;
    await this.rpc.call('anvil_setBalance', [supplier, toQuantity(PLENTY_OF_ETHER)]);
    const prices = initialPrices();
    await this.queued([deployer, supplier], (queue) => {
      for (const market of this.on.markets) {
        const amount = amountWorth(market.symbol, PLENTY_USD8, prices[market.symbol]);
        if (market.symbol !== 'WETH')
          this.add(queue, deployer, this.token(market), 'mint', [supplier, amount], 0n, 2n);
        this.addSupply(queue, supplier, market, amount);
      }
    });
  }

  private addSupply(queue: TransactionQueue, account: string, market: CompoundListed, amount: bigint): void {
    if (market.isNative) {
      this.add(queue, account, market.mToken, 'mint()', [], amount);
      return;
    }
    const token = this.token(market);
    if (market.symbol === 'WETH') this.add(queue, account, token, 'deposit', [], amount);
    this.add(queue, account, token, 'approve', [market.mToken, amount]);
    this.add(queue, account, market.mToken, 'mint(uint256)', [amount]);
  }

  private token({ symbol }: CompoundListed): string {
    return this.devnet.tokens[symbol].address;
  }

  private add(
    queue: TransactionQueue,
    from: string,
    to: string,
    method: string,
    args: readonly unknown[],
    valueWei = 0n,
    priority = 1n,
  ): void {
    const { compound, own, predeploys } = this.artifacts;
    const abis = [
      compound.CErc20Delegator.abi,
      compound.CEther.abi,
      compound.Comptroller.abi,
      compound.JumpRateModelV2.abi,
      predeploys.weth.abi,
      own['MintableToken']?.abi ?? [],
    ];
    const isToken = TOKEN_SYMBOLS.some((symbol) => this.devnet.tokens[symbol].address === to);
    const abi = (isToken ? abis.toReversed() : abis)
      .map(interfaceOf)
      .find((one) => one.getFunction(method) !== null);
    if (!abi) throw new TypeError(`no contract has ${method}`);
    const data = abi.encodeFunctionData(method, [...args]);
    queue.add({
      label: method,
      from,
      to,
      data,
      valueWei,
      gas: FAR_MORE_GAS,
      maxFeePerGasWei: priority * 10n ** 9n,
    });
  }

  private async queued(senders: readonly string[], fill: (queue: TransactionQueue) => void): Promise<void> {
    const queue = new TransactionQueue(this.rpc, interfaceOf(this.artifacts.compound.Comptroller.abi));
    await queue.track(senders);
    fill(queue);
    await this.mine(queue);
  }

  private async mine(queue: TransactionQueue): Promise<void> {
    await this.rpc.call('evm_setAutomine', [false]);
    await queue.mine(async () => {
      await this.rpc.call('evm_mine');
    });
    await this.rpc.call('evm_setAutomine', [true]);
  }
}

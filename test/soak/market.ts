/** The world of the soak: prices that walk, borrowers that come and go, and rivals. All of it by the seed. */
import { MaxUint256, getAddress, dataSlice, id, parseEther, toQuantity } from 'ethers';
import {
  amountWorth,
  initialPrices,
  TOKENS,
  TOKEN_SYMBOLS,
  type Devnet,
  type PositionRequest,
  type Prices,
  type TokenSymbol,
} from '../../devnet/index.js';
import type { SeededRandom } from '../../devnet/random.js';
import { messageOf } from '../../src/domain/errors.js';
import { SerialQueue } from '../../src/domain/serial-queue.js';
import { eventually } from '../../testing/eventually.js';
import { endow, send } from '../../testing/send.js';

const WAD = 10n ** 18n;
const BPS = 10_000n;

/** What backs what. */
const PAIRS: readonly (readonly [collateral: TokenSymbol, debt: TokenSymbol])[] = [
  ['WETH', 'USDC'],
  ['WETH', 'USDC'],
  ['cbETH', 'USDC'],
  ['cbBTC', 'USDC'],
  ['USDC', 'WETH'],
  ['cbBTC', 'WETH'],
];
/** Health factors of new positions, per mille. Aave opens none much below. */
const HEALTH = [1_032, 1_110] as const;
/** A position that is safer than this makes room for another one, per mille. */
const SAFE_PER_MILLE = 1_120n;
/** Worth of a new debt, dollars. */
const DEBT = [900, 30_000] as const;
/** Positions that are opened anew in one turn. */
const MOST_NEW = 6;

/** Of the price at the beginning, in which the prices stay. */
const LOWEST = 0.75;
const HIGHEST = 1.3;
/** The standard deviation of one move, how strongly prices go back to where they began, and falls at once. */
const MOVE = 0.02;
const PULL = 0.05;
const FALL = { chance: 0.2, least: 0.03, most: 0.06 };

/** A rival takes a position with this chance; half of the rivals are always first in their block. */
const RIVAL_CHANCE = 0.3;
const FIRST_FEE_WEI = 500n * 10n ** 9n;
const USUAL_FEE_WEI = 10n ** 9n;
const GAS = 2_000_000n;

interface Borrower {
  readonly account: string;
  collateral: TokenSymbol;
  debt: TokenSymbol;
}

interface Call {
  readonly from: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly maxFeeWei?: bigint;
}

export class Market {
  /** What the world did, for the report. */
  readonly did = { moves: 0, opened: 0, rivals: 0, failures: 0 };
  lastFailure = '';
  /** Moves, reorgs and pauses of the chain, one at a time. */
  private readonly turns = new SerialQueue();
  private readonly borrowers: Borrower[];
  private readonly bank = accountOf('bank');
  private readonly rivals = [accountOf('fast rival'), accountOf('slow rival')] as const;

  constructor(
    private readonly devnet: Devnet,
    private readonly random: SeededRandom,
    borrowers = 40,
  ) {
    this.borrowers = Array.from({ length: borrowers }, (_, index) => {
      const [collateral, debt] = PAIRS[index % PAIRS.length] ?? ['WETH', 'USDC'];
      return { account: accountOf(`borrower ${index + 1}`), collateral, debt };
    });
  }

  /** Funds everyone, and opens the first positions. */
  async open(): Promise<void> {
    const { devnet } = this;
    for (const account of [this.bank, ...this.rivals]) {
      await devnet.rpc('anvil_setBalance', [account, toQuantity(parseEther('2000000'))]);
      for (const symbol of TOKEN_SYMBOLS) await this.fund(account, symbol);
    }
    const prices = await devnet.prices();
    await devnet.openPositions(this.borrowers.map((borrower) => this.position(borrower, prices)));
  }

  /** Nothing of the world happens while this runs. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.run(work);
  }

  /** Nothing of the world happens until what this gives is called. */
  hold(): Promise<() => void> {
    return new Promise((resolve) => void this.turns.run(() => new Promise<void>(resolve)));
  }

  /** One move: new prices, rivals that look at what fell, and new positions for those that are gone. */
  async turn(): Promise<void> {
    try {
      await this.exclusively(async () => {
        await this.movePrices();
        const health = await this.healthFactors();
        await this.sendRivals(health);
        await this.renew(health);
      });
    } catch (error) {
      this.did.failures += 1;
      this.lastFailure = messageOf(error);
    }
  }

  /** Something that the bot can win, whatever the prices are: the last look at it. */
  async fallOnce(): Promise<void> {
    await this.exclusively(async () => {
      await this.renew(
        new Map(this.borrowers.map(({ account }) => [account, MaxUint256])),
        this.borrowers.length,
      );
      const { WETH, cbETH, cbBTC } = await this.devnet.prices();
      await this.devnet.setPrices({
        WETH: (WETH * 92n) / 100n,
        cbETH: (cbETH * 92n) / 100n,
        cbBTC: (cbBTC * 92n) / 100n,
      });
    });
  }

  private async movePrices(): Promise<void> {
    const before = await this.devnet.prices();
    const start = initialPrices();
    const after: Partial<Prices> = {};
    const common = this.deviation();
    for (const symbol of ['WETH', 'cbETH', 'cbBTC'] as const) {
      const now = Number(before[symbol]) / Number(start[symbol]);
      const fall = this.random.chance(FALL.chance) ? this.random.between(FALL.least, FALL.most) : 0;
      const move = MOVE * (0.7 * common + 0.7 * this.deviation()) + PULL * (1 - now) - fall;
      const next = Math.min(HIGHEST, Math.max(LOWEST, now * (1 + move)));
      after[symbol] = (start[symbol] * BigInt(Math.round(next * 1e6))) / 1_000_000n;
    }
    await this.devnet.setPrices(after);
    this.did.moves += 1;
  }

  /** About normal, by the sum of four. */
  private deviation(): number {
    let sum = 0;
    for (let i = 0; i < 4; i++) sum += this.random.between(-1, 1);
    return sum * 0.87;
  }

  private async healthFactors(): Promise<ReadonlyMap<string, bigint>> {
    const all = await Promise.all(
      this.borrowers.map(async ({ account }) => {
        const { healthFactorWad } = await this.devnet.accountData(account);
        return [account, healthFactorWad] as const;
      }),
    );
    return new Map(all);
  }

  private async sendRivals(health: ReadonlyMap<string, bigint>): Promise<void> {
    const { tokens } = this.devnet;
    const calls: Call[] = [];
    for (const { account, collateral, debt } of this.borrowers) {
      if ((health.get(account) ?? WAD) >= WAD || !this.random.chance(RIVAL_CHANCE)) continue;
      const first = this.random.chance(0.5);
      calls.push({
        from: this.rivals[first ? 0 : 1],
        method: 'liquidationCall',
        args: [tokens[collateral].address, tokens[debt].address, account, this.plenty(debt), false],
        maxFeeWei: first ? FIRST_FEE_WEI : USUAL_FEE_WEI,
      });
    }
    this.did.rivals += calls.length;
    await this.callAll(calls);
  }

  /** Those without a debt, and those that are safe, repay, withdraw, and borrow anew. */
  private async renew(health: ReadonlyMap<string, bigint>, most = MOST_NEW): Promise<void> {
    const safe = (WAD * SAFE_PER_MILLE) / 1_000n;
    const renewed = this.borrowers.filter(({ account }) => (health.get(account) ?? 0n) > safe).slice(0, most);
    if (renewed.length === 0) return;
    const { tokens } = this.devnet;
    const calls = renewed.flatMap(({ account, collateral, debt }): Call[] => [
      {
        from: this.bank,
        method: 'repay',
        args: [tokens[debt].address, this.plenty(debt), 2n, account],
        maxFeeWei: FIRST_FEE_WEI,
      },
      { from: account, method: 'withdraw', args: [tokens[collateral].address, MaxUint256, this.bank] },
    ]);
    await this.callAll(calls);
    const prices = await this.devnet.prices();
    await this.devnet.openPositions(renewed.map((borrower) => this.position(borrower, prices)));
    this.did.opened += renewed.length;
  }

  private position({ account, collateral, debt }: Borrower, prices: Prices): PositionRequest {
    const debtUsd8 = BigInt(Math.round(this.random.magnitude(...DEBT) * 100)) * 10n ** 6n;
    const health = BigInt(this.random.integer(...HEALTH));
    const threshold = TOKENS[collateral].liquidationThresholdBps;
    const collateralUsd8 = (debtUsd8 * health * BPS) / threshold / 1_000n;
    return {
      account,
      collaterals: [
        { symbol: collateral, amount: amountWorth(collateral, collateralUsd8, prices[collateral]) },
      ],
      debts: [{ symbol: debt, amount: amountWorth(debt, debtUsd8, prices[debt]) }],
    };
  }

  /** Sends calls of the pool, and waits until all are mined, whether they succeed or not. */
  private async callAll(calls: readonly Call[]): Promise<void> {
    const { aavePool } = this.devnet.contracts;
    const hashes: unknown[] = [];
    for (const { from, method, args, maxFeeWei = USUAL_FEE_WEI } of calls) {
      const data = aavePool.interface.encodeFunctionData(method, [...args]);
      const fees = { maxFeePerGas: toQuantity(maxFeeWei), maxPriorityFeePerGas: '0x0' };
      const request = { from, to: this.devnet.addresses.pool, data, gas: toQuantity(GAS), ...fees };
      hashes.push(await this.devnet.rpc('eth_sendTransaction', [request]));
    }
    const mined = (hash: unknown): Promise<unknown> => this.devnet.rpc('eth_getTransactionReceipt', [hash]);
    await eventually(
      async () => (await Promise.all(hashes.map(mined))).every((receipt) => receipt !== null),
      `${hashes.length} calls of the market to be mined`,
    );
  }

  private async fund(account: string, symbol: TokenSymbol): Promise<void> {
    const { devnet } = this;
    const { pool } = devnet.addresses;
    if (symbol !== 'WETH') return endow(devnet, account, symbol, MaxUint256 >> 100n, pool);
    const weth = devnet.token('WETH');
    await send(devnet, account, weth, 'approve', pool, MaxUint256);
    const data = weth.interface.encodeFunctionData('deposit');
    const value = toQuantity(parseEther('1000000'));
    await devnet.rpc('eth_sendTransaction', [{ from: account, to: devnet.tokens.WETH.address, data, value }]);
  }

  /** More than any position has of a token: Aave takes no more than what is owed. */
  private plenty(symbol: TokenSymbol): bigint {
    return 10n ** BigInt(TOKENS[symbol].decimals + 9);
  }
}

/** An address without a known key, the same in every run. */
function accountOf(name: string): string {
  return getAddress(dataSlice(id(`chimera soak ${name}`), 12));
}

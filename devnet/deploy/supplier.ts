/** The account that fills every market at start-up, and its calls. */
import { MaxUint256 } from 'ethers';
import type { Artifact } from '../artifacts/compile.js';
import type { PlainTokens } from './tokens.js';
import type { Deployer } from './deployer.js';
import { TOKENS, type TokenSymbol, amountWorth } from '../parameters.js';

/** Queues calls of the supplier. Amounts are in the smallest units of their token. */
export class Supplier {
  constructor(
    private readonly deployer: Deployer,
    readonly tokens: PlainTokens,
    private readonly erc20: Artifact['abi'],
    readonly address: string,
  ) {}

  /** The amount of a token that is worth so much at the initial price. @param usd8 USD with 8 decimals */
  worth(symbol: TokenSymbol, usd8: bigint): bigint {
    return amountWorth(symbol, usd8, TOKENS[symbol].initialPriceUsd8);
  }

  call(to: string, abi: Artifact['abi'], method: string, args: readonly unknown[], valueWei = 0n): void {
    this.deployer.call(to, abi, method, args, { from: this.address, valueWei });
  }

  /** Lets the spender take any amount. */
  approve(symbol: TokenSymbol, spender: string): void {
    this.call(this.tokens[symbol].address, this.erc20, 'approve', [spender, MaxUint256]);
  }

  transfer(symbol: TokenSymbol, to: string, amount: bigint): void {
    this.call(this.tokens[symbol].address, this.erc20, 'transfer', [to, amount]);
  }
}

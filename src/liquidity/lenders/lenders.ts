import { id } from 'ethers';
import { addressAt, addressWord, amountAt, uintAt, type Address, type Hex } from '../../domain/hex.js';
import { BPS, mulDivCeil, WAD } from '../../domain/money.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import { firstWord } from '../first-word.js';
import type { Lender, Offer } from './lender.js';

/** The addresses of lenders, as the configuration names them. */
export interface ConfiguredLenders {
  readonly morpho?: Address;
  readonly aavePool?: Address;
  readonly balancerVault?: Address;
  readonly balancerV3Vault?: Address;
}

/** The configured lenders, those that cost the least gas first. The gas is from bench:gas. */
export function lendersOf(configured: ConfiguredLenders = {}): Lender[] {
  const { morpho, aavePool, balancerVault, balancerV3Vault } = configured;
  return [
    ...(morpho ? [new MorphoBlueLender(morpho)] : []),
    ...(balancerV3Vault ? [new BalancerV3Lender(balancerV3Vault)] : []),
    ...(balancerVault ? [new BalancerV2Lender(balancerVault)] : []),
    ...(aavePool ? [new AaveV3Lender(aavePool)] : []),
  ];
}

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;
const withAddress = (signature: string, address: Address): Hex =>
  `${selector(signature)}${addressWord(address)}`;

/** Morpho Blue lends all that it holds of a token, for nothing (Morpho.sol `flashLoan`). */
class MorphoBlueLender implements Lender {
  readonly name = 'morpho';

  constructor(readonly address: Address) {}

  offers(tokens: readonly Address[]): Read<readonly (Offer | undefined)[]> {
    return each(
      tokens.map((token) =>
        mapped(balanceRead(token, this.address), (most) => offerOf(this, { most, feeBps: 0n, gas: 34_000n })),
      ),
    );
  }
}

/** Balancer v3 lends all of its reserves, for nothing, while it is unlocked (Vault.sol `sendTo`). */
class BalancerV3Lender implements Lender {
  readonly name = 'balancer-v3';

  constructor(readonly address: Address) {}

  offers(tokens: readonly Address[]): Read<readonly (Offer | undefined)[]> {
    return each(
      tokens.map((token) =>
        mapped(amountRead(this.address, withAddress('getReservesOf(address)', token)), (most) =>
          offerOf(this, { most, feeBps: 0n, gas: 35_000n }),
        ),
      ),
    );
  }
}

/**
 * Balancer v2 lends all that it holds of a token, while it is not paused (FlashLoans.sol `flashLoan`). Its
 * fee stands in another contract. So it offers nothing before its second reading, which knows that one.
 */
class BalancerV2Lender implements Lender {
  readonly name = 'balancer';
  private feesCollector: Address | undefined;

  constructor(readonly address: Address) {}

  offers(tokens: readonly Address[]): Read<readonly (Offer | undefined)[]> {
    const { feesCollector } = this;
    const fee = feesCollector
      ? amountRead(feesCollector, selector('getFlashLoanFeePercentage()'))
      : { calls: [], decode: () => undefined };
    const { calls, decode } = together(
      firstWord(this.address, selector('getProtocolFeesCollector()')),
      firstWord(this.address, selector('getPausedState()')),
      fee,
      each(tokens.map((token) => balanceRead(token, this.address))),
    );
    return {
      calls,
      decode: (results) => {
        const [collector, paused, feeWad, balances] = decode(results);
        if (collector) this.feesCollector = addressAt(collector, 0);
        if (feeWad === undefined || paused === undefined || uintAt(paused, 0) !== 0n) return [];
        const feeBps = mulDivCeil(feeWad, BPS, WAD);
        return balances.map((most) => offerOf(this, { most, feeBps, gas: 41_000n }));
      },
    };
  }
}

/** Bits of a reserve's configuration (ReserveConfiguration.sol). */
const [ACTIVE, PAUSED, FLASH_LOANS_ENABLED] = [56n, 60n, 63n];

/**
 * Aave v3 lends what its books say that it holds of a reserve, for a premium (FlashLoanLogic.sol
 * `executeFlashLoanSimple`), also to a liquidation of its own. Before v3.1 there were no such books: such a
 * pool offers nothing here.
 */
class AaveV3Lender implements Lender {
  readonly name = 'aave';

  constructor(readonly address: Address) {}

  offers(tokens: readonly Address[]): Read<readonly (Offer | undefined)[]> {
    const { calls, decode } = together(
      amountRead(this.address, selector('FLASHLOAN_PREMIUM_TOTAL()')),
      each(
        tokens.map((token) =>
          together(
            firstWord(this.address, withAddress('getConfiguration(address)', token)),
            amountRead(this.address, withAddress('getVirtualUnderlyingBalance(address)', token)),
          ),
        ),
      ),
    );
    return {
      calls,
      decode: (results) => {
        const [feeBps, reserves] = decode(results);
        if (feeBps === undefined) return [];
        return reserves.map(([configuration, most]) =>
          configuration && lends(uintAt(configuration, 0))
            ? offerOf(this, { most, feeBps, gas: 64_000n })
            : undefined,
        );
      },
    };
  }
}

function lends(configuration: bigint): boolean {
  const has = (bit: bigint): boolean => ((configuration >> bit) & 1n) === 1n;
  return has(ACTIVE) && has(FLASH_LOANS_ENABLED) && !has(PAUSED);
}

function offerOf(
  { name, address }: Lender,
  terms: { readonly most: bigint | undefined } & Pick<Offer, 'feeBps' | 'gas'>,
): Offer | undefined {
  const { most, feeBps, gas } = terms;
  return most !== undefined && most > 0n && feeBps < BPS
    ? { name, lender: address, feeBps, most, gas }
    : undefined;
}

function amountRead(to: Address, data: Hex): Read<bigint | undefined> {
  return mapped(firstWord(to, data), (word) => word && amountAt(word, 0));
}

/** A token may say any number: more than 128 bits of it are not lent. */
function balanceRead(token: Address, holder: Address): Read<bigint | undefined> {
  return amountRead(token, withAddress('balanceOf(address)', holder));
}

function mapped<T, U>({ calls, decode }: Read<T>, to: (value: T) => U): Read<U> {
  return { calls, decode: (results) => to(decode(results)) };
}

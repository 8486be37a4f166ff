import type { Address, Hash } from '../domain/hex.js';
import { Choice, ContractAddress, ContractAddresses, Hashes, Integer, Name, Usd } from './key-types.js';
import { List, type Mapping, type SectionClass } from './keys.js';

class ProtocolSection {
  /** The market's name in rows, metrics and logs. */
  @Name({ example: 'aave' })
  readonly name!: string;
}

export class AaveV3Config extends ProtocolSection {
  @Choice({ of: ['aave-v3'] })
  readonly kind!: 'aave-v3';

  /** The first block of the search for borrowers. */
  @Integer({ min: 0, max: 999_999_999_999, example: 2357134 })
  readonly fromBlock!: number;

  /** The PoolAddressesProvider of the market. */
  @ContractAddress()
  readonly addressesProvider!: Address;
}

export class CompoundV2Config extends ProtocolSection {
  @Choice({ of: ['compound-v2'] })
  readonly kind!: 'compound-v2';

  /** The first block of the search for borrowers. */
  @Integer({ min: 0, max: 999_999_999_999, example: 2357134 })
  readonly fromBlock!: number;

  /** The Comptroller of the markets: of Compound v2, or of its fork Moonwell. */
  @ContractAddress()
  readonly comptroller!: Address;
}

/** The feed that says what a loan token is worth. */
export class UsdFeedConfig {
  @ContractAddress()
  readonly token!: Address;

  /** A Chainlink feed in USD, with 8 decimals. */
  @ContractAddress()
  readonly feed!: Address;
}

/** One Morpho Blue, with all of its markets. */
export class MorphoBlueConfig extends ProtocolSection {
  @Choice({ of: ['morpho-blue'] })
  readonly kind!: 'morpho-blue';

  /** The first block of the search for borrowers. */
  @Integer({ min: 0, max: 999_999_999_999, example: 13977148 })
  readonly fromBlock!: number;

  @ContractAddress()
  readonly morpho!: Address;

  /** Its AdaptiveCurveIrm: the interest of markets with this rate model is computed, not asked. */
  @ContractAddress()
  readonly adaptiveCurveIrm!: Address;

  /** Its PreLiquidationFactory. Without it pre-liquidations are not looked for. */
  @ContractAddress({ optional: true })
  readonly preLiquidationFactory!: Address | undefined;

  /** The first block of the search for the contracts of the factory, when it is later than `fromBlock`. */
  @Integer({ min: 0, max: 999_999_999_999, default: '0', example: 23779056 })
  readonly preLiquidationFromBlock!: number;

  /**
   * The USD feeds of loan tokens. The wrapped native token has `oracles.nativeUsdFeed`, and what the oracles
   * of the other configured markets price needs none. Markets of loan tokens without a price are left alone.
   */
  @List({
    choose: () => UsdFeedConfig,
    optional: true,
    default: [],
    expected: 'a list of loan tokens with their feeds in USD',
    example: '[{ token: "0x8335…", feed: "0x7e86…" }]',
  })
  readonly feeds!: readonly UsdFeedConfig[];

  /** Only these markets; empty: all. */
  @Hashes({ default: () => '' })
  readonly markets!: readonly Hash[];

  /** None of these markets. */
  @Hashes({ default: () => '' })
  readonly denyMarkets!: readonly Hash[];

  /** Only markets of these loan tokens; empty: of all that have a price. */
  @ContractAddresses({ default: () => '' })
  readonly loanTokens!: readonly Address[];

  /** A market in which less is borrowed is left alone. */
  @Usd({ key: 'minMarketUsd', default: '1000', example: '1000' })
  readonly minMarketUsd8!: bigint;

  /** `feeds`: only markets whose oracle is a Chainlink-based one of Morpho's; `any`: of other oracles too. */
  @Choice({ of: ['any', 'feeds'], default: 'any' })
  readonly oracles!: 'any' | 'feeds';
}

/** A market of no known kind. Its other keys are not checked. */
class UnknownProtocol extends ProtocolSection {
  static readonly acceptsAnyKey = true;

  @Choice({ of: ['aave-v3', 'compound-v2', 'morpho-blue'] })
  readonly kind!: string;
}

/** A configured market. Only the kinds that are known pass validation. */
export type ProtocolConfig = AaveV3Config | CompoundV2Config | MorphoBlueConfig;

const SECTIONS: ReadonlyMap<unknown, SectionClass> = new Map<unknown, SectionClass>([
  ['aave-v3', AaveV3Config],
  ['compound-v2', CompoundV2Config],
  ['morpho-blue', MorphoBlueConfig],
]);

export const protocolOf = ({ kind }: Mapping): SectionClass => SECTIONS.get(kind) ?? UnknownProtocol;

import type { Address } from '../domain/hex.js';
import { Choice, ContractAddress, Integer, Name } from './key-types.js';
import type { Mapping, SectionClass } from './keys.js';
import { NotYet } from './rules.js';

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

/**
 * A market of a kind that this version does not serve, or of no known kind. Its other keys are not checked.
 */
class UnservedProtocol extends ProtocolSection {
  static readonly acceptsAnyKey = true;

  @NotYet(['morpho-blue'], 'aave-v3, compound-v2')
  @Choice({ of: ['aave-v3', 'compound-v2', 'morpho-blue'] })
  readonly kind!: string;
}

/** A configured market. Only the kinds that this version serves pass validation. */
export type ProtocolConfig = AaveV3Config | CompoundV2Config;

const SECTIONS: ReadonlyMap<unknown, SectionClass> = new Map<unknown, SectionClass>([
  ['aave-v3', AaveV3Config],
  ['compound-v2', CompoundV2Config],
]);

export const protocolOf = ({ kind }: Mapping): SectionClass => SECTIONS.get(kind) ?? UnservedProtocol;

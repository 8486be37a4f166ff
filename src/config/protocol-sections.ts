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

/**
 * A market of a kind that this version does not serve, or of no known kind. Its other keys are not checked.
 */
class UnservedProtocol extends ProtocolSection {
  static readonly acceptsAnyKey = true;

  @NotYet(['compound-v2', 'morpho-blue'], 'aave-v3')
  @Choice({ of: ['aave-v3', 'compound-v2', 'morpho-blue'] })
  readonly kind!: string;
}

/** A configured market. Only the kinds that this version serves pass validation. */
export type ProtocolConfig = AaveV3Config;

export const protocolOf = ({ kind }: Mapping): SectionClass =>
  kind === 'aave-v3' ? AaveV3Config : UnservedProtocol;

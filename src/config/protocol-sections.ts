import type { Address } from '../domain/hex.js';
import { Choice, ContractAddress, Integer, Name } from './key-types.js';
import { NotYet, type Mapping, type SectionClass } from './keys.js';

const PROTOCOL_KINDS = ['aave-v3', 'compound-v2', 'morpho-blue'] as const;
const SUPPORTED_KINDS = 'aave-v3';

class ProtocolSection {
  /** What rows, metrics and logs call it. */
  @Name({ example: 'aave' })
  readonly name!: string;

  /** The block that the history of borrowers is read from. */
  @Integer({ min: 0, max: 999_999_999_999, example: 2357134 })
  readonly fromBlock!: number;
}

export class AaveV3Config extends ProtocolSection {
  @Choice({ of: ['aave-v3'] })
  readonly kind!: 'aave-v3';

  /** The PoolAddressesProvider of the market. */
  @ContractAddress()
  readonly addressesProvider!: Address;
}

class CompoundV2Section extends ProtocolSection {
  @NotYet('compound-v2', SUPPORTED_KINDS)
  @Choice({ of: ['compound-v2'] })
  readonly kind!: 'compound-v2';

  @ContractAddress()
  readonly comptroller!: Address;

  @Choice({ of: ['timestamp', 'block'] })
  readonly interest!: 'timestamp' | 'block';
}

class MorphoBlueSection extends ProtocolSection {
  @NotYet('morpho-blue', SUPPORTED_KINDS)
  @Choice({ of: ['morpho-blue'] })
  readonly kind!: 'morpho-blue';

  @ContractAddress()
  readonly morpho!: Address;
}

class UnknownProtocolSection {
  static readonly acceptsAnyKey = true;

  @Choice({ of: PROTOCOL_KINDS })
  readonly kind!: string;
}

/** A configured market. Only the kinds that this version serves pass validation. */
export type ProtocolConfig = AaveV3Config;

export const protocolOf = ({ kind }: Mapping): SectionClass => {
  switch (kind) {
    case 'aave-v3':
      return AaveV3Config;
    case 'compound-v2':
      return CompoundV2Section;
    case 'morpho-blue':
      return MorphoBlueSection;
    default:
      return UnknownProtocolSection;
  }
};

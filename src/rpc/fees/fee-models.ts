import type { FeeModel } from '../../domain/chain-description.js';
import { ArbitrumFees } from './arbitrum-fees.js';
import type { ChainFees } from './chain-fees.js';
import { GasOnlyFees } from './gas-only-fees.js';
import { OpStackFees } from './op-stack-fees.js';

/** The table of fee models: a new kind of chain gets its line here. */
const BY_MODEL: Readonly<Record<FeeModel, () => ChainFees>> = {
  'op-stack': () => new OpStackFees(),
  'gas-only': () => new GasOnlyFees(),
  arbitrum: () => new ArbitrumFees(),
};

export function chainFeesOf(model: FeeModel): ChainFees {
  return BY_MODEL[model]();
}

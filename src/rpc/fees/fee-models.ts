import type { FeeModel } from '../../domain/chain-description.js';
import type { ChainFees } from './chain-fees.js';
import { OpStackFees } from './op-stack-fees.js';

/** The table of fee models: a new kind of chain gets its line here. */
const BY_MODEL: Readonly<Record<FeeModel, () => ChainFees>> = {
  'op-stack': () => new OpStackFees(),
};

export function chainFeesOf(model: FeeModel): ChainFees {
  return BY_MODEL[model]();
}

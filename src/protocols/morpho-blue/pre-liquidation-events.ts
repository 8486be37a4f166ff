import { id } from 'ethers';
import { addressAt, addressFromWord, uintAt, type Address, type Hash } from '../../domain/hex.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { PreLiquidation } from './pre-liquidation.js';

/** PreLiquidationFactory's log of a new contract, and Morpho's of an authorisation (EventsLib.sol). */
export const PRE_TOPIC = {
  created: id(
    'CreatePreLiquidation(address,bytes32,(uint256,uint256,uint256,uint256,uint256,address))',
  ) as Hash,
  setAuthorization: id('SetAuthorization(address,address,address,bool)') as Hash,
} as const;

/** One change that decides by which pre-liquidation contracts a position may be taken. */
export type PreLiquidationChange =
  | { readonly kind: 'created'; readonly created: PreLiquidation }
  | {
      readonly kind: 'authorisation';
      readonly borrower: Address;
      /** Any account, in most logs no pre-liquidation contract. */
      readonly contract: Address;
      readonly isAuthorised: boolean;
    };

/** Where the logs come from. */
export interface PreLiquidationSources {
  readonly morpho: Address;
  /** Undefined: pre-liquidations are not looked for. */
  readonly preLiquidationFactory?: Address | undefined;
}

/** What the configuration says of them. */
export interface PreLiquidationSettings extends PreLiquidationSources {
  /** The first block of the search for borrowers. */
  readonly fromBlock?: number;
  /** The first block of the search for contracts, when it is a later one. */
  readonly preLiquidationFromBlock?: number;
}

/** Reads the logs of any number of blocks, in the order of the chain. Other logs are ignored. */
export function preChangesOf(
  { morpho, preLiquidationFactory }: PreLiquidationSources,
  logs: readonly RawLog[],
): PreLiquidationChange[] {
  if (!preLiquidationFactory) return [];
  return logs.flatMap(({ address, topics, data }): PreLiquidationChange[] => {
    const [first, second = '', third = '', fourth = ''] = topics;
    if (address === preLiquidationFactory && first === PRE_TOPIC.created)
      return [{ kind: 'created', created: createdBy(addressFromWord(second), data) }];
    if (address !== morpho || first !== PRE_TOPIC.setAuthorization) return [];
    return [
      {
        kind: 'authorisation',
        borrower: addressFromWord(third),
        contract: addressFromWord(fourth),
        isAuthorised: uintAt(data, 0) === 1n,
      },
    ];
  });
}

function createdBy(contract: Address, data: RawLog['data']): PreLiquidation {
  return {
    contract,
    marketId: `0x${uintAt(data, 0).toString(16).padStart(64, '0')}`,
    preLltvWad: uintAt(data, 1),
    closeFactorWads: [uintAt(data, 2), uintAt(data, 3)],
    incentiveWads: [uintAt(data, 4), uintAt(data, 5)],
    oracle: addressAt(data, 6),
  };
}

import { Interface, getAddress } from 'ethers';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/domain/hex.js';
import { CHIMERA_ABI, Kind } from '../../src/contract/bindings.js';
import { compareRoles, rolesOfNew, type Roles, type WantedRoles } from './roles.js';

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const CHIMERA = address('c0');
const OWNER = address('01');
const WANTED: WantedRoles = {
  treasury: address('02'),
  executors: [address('e1'), address('e2')],
  counterparties: [
    { address: address('a1'), kind: 'AaveV3', keys: ['protocols (aave)'] },
    { address: address('a2'), kind: 'Solidly', keys: ['liquidity.aerodrome.factory'] },
  ],
};
const RIGHT: Roles = {
  owner: OWNER,
  pendingOwner: undefined,
  treasury: WANTED.treasury,
  paused: false,
  executors: [true, true],
  kinds: [Kind.AaveV3, Kind.Solidly],
};

function callsOf(roles: Roles): unknown[] {
  return compareRoles(CHIMERA, roles, WANTED).missing.map(({ to, data }) => {
    expect(to).toBe(CHIMERA);
    const parsed = new Interface(CHIMERA_ABI).parseTransaction({ data });
    const args: unknown[] = parsed?.args.toArray() ?? [];
    return [parsed?.name, ...args];
  });
}

describe('roles', () => {
  it('a new contract lacks every executor and counterparty, and has its treasury', () => {
    expect(callsOf(rolesOfNew(OWNER, WANTED))).toEqual([
      ['setExecutor', getAddress(address('e1')), true],
      ['setExecutor', getAddress(address('e2')), true],
      ['setCounterparty', getAddress(address('a1')), 1n],
      ['setCounterparty', getAddress(address('a2')), 7n],
    ]);
  });

  it('nothing is missing where all is right', () => {
    expect(compareRoles(CHIMERA, RIGHT, WANTED)).toEqual({
      missing: [],
      right: [
        `executor ${getAddress(address('e1'))}`,
        `executor ${getAddress(address('e2'))}`,
        `AaveV3 ${getAddress(address('a1'))} (protocols (aave))`,
        `Solidly ${getAddress(address('a2'))} (liquidity.aerodrome.factory)`,
      ],
    });
  });

  it('only what differs is called for, and says what it replaces', () => {
    const roles: Roles = {
      ...RIGHT,
      treasury: address('09'),
      executors: [true, false],
      kinds: [Kind.AaveV3, Kind.Slipstream],
    };
    expect(callsOf(roles)).toEqual([
      ['setTreasury', getAddress(WANTED.treasury)],
      ['setExecutor', getAddress(address('e2')), true],
      ['setCounterparty', getAddress(address('a2')), 7n],
    ]);
    expect(compareRoles(CHIMERA, roles, WANTED).missing.map(({ meaning }) => meaning)).toEqual([
      `profit goes to ${getAddress(WANTED.treasury)}, no longer to ${getAddress(address('09'))}`,
      `${getAddress(address('e2'))} may liquidate and pause`,
      'lists liquidity.aerodrome.factory as Solidly, no longer as Slipstream',
    ]);
  });
});

/** The contract's roles: what is wanted, what is set, and the calls that make the second like the first. */
import { Interface, getAddress } from 'ethers';
import { addressAt, uintAt, type Address, type Hex } from '../../src/domain/hex.js';
import { CHIMERA_ABI, Kind, SELECTORS } from '../../src/contract/bindings.js';
import { callWithAddress } from '../../src/contract/contract.js';
import { each, successOf, together, type Read } from '../../src/rpc/chain/read.js';
import type { Counterparty } from './counterparties.js';

export interface WantedRoles {
  readonly treasury: Address;
  readonly executors: readonly Address[];
  readonly counterparties: readonly Counterparty[];
}

/** What the contract says; executors and kinds in the order of {@link WantedRoles}. */
export interface Roles {
  readonly owner: Address;
  /** The account that was offered the ownership and has not accepted it yet. */
  readonly pendingOwner: Address | undefined;
  readonly treasury: Address;
  readonly paused: boolean;
  readonly executors: readonly boolean[];
  readonly kinds: readonly number[];
}

/** A call that only the owner may make. */
export interface RoleCall {
  readonly to: Address;
  readonly data: Hex;
  /** As source text: "setExecutor(0x…, true)". */
  readonly call: string;
  /** Its purpose, in a sentence. */
  readonly meaning: string;
}

export interface RoleDifference {
  readonly missing: readonly RoleCall[];
  /** Executors and counterparties that are as they are wanted. */
  readonly right: readonly string[];
}

const ABI = new Interface(CHIMERA_ABI);

/** The roles right after the constructor. */
export function rolesOfNew(owner: Address, wanted: WantedRoles): Roles {
  return {
    owner,
    pendingOwner: undefined,
    treasury: wanted.treasury,
    paused: false,
    executors: wanted.executors.map(() => false),
    kinds: wanted.counterparties.map(() => Kind.None),
  };
}

export function rolesRead(chimera: Address, wanted: WantedRoles): Read<Roles> {
  const word = (what: keyof typeof SELECTORS, data: Hex = SELECTORS[what]): Read<Hex> => ({
    calls: [{ to: chimera, data }],
    decode: ([result]) => successOf(result, `${what} of ${chimera}`),
  });
  const about = (what: 'isExecutor' | 'kindOf', address: Address): Read<Hex> =>
    word(what, callWithAddress(what, address));
  const read = together(
    word('owner'),
    word('pendingOwner'),
    word('treasury'),
    word('paused'),
    each(wanted.executors.map((address) => about('isExecutor', address))),
    each(wanted.counterparties.map(({ address }) => about('kindOf', address))),
  );
  return {
    calls: read.calls,
    decode: (results) => {
      const [owner, pendingOwner, treasury, paused, executors, kinds] = read.decode(results);
      return {
        owner: addressAt(owner, 0),
        pendingOwner: uintAt(pendingOwner, 0) === 0n ? undefined : addressAt(pendingOwner, 0),
        treasury: addressAt(treasury, 0),
        paused: uintAt(paused, 0) === 1n,
        executors: executors.map((answer) => uintAt(answer, 0) === 1n),
        kinds: kinds.map((answer) => Number(uintAt(answer, 0))),
      };
    },
  };
}

export function compareRoles(chimera: Address, roles: Roles, wanted: WantedRoles): RoleDifference {
  const missing: RoleCall[] = [];
  const right: string[] = [];
  const call = (method: string, args: readonly unknown[], written: string, meaning: string): void => {
    const data = ABI.encodeFunctionData(method, args) as Hex;
    missing.push({ to: chimera, data, call: `${method}(${written})`, meaning });
  };

  const treasury = getAddress(wanted.treasury);
  if (roles.treasury !== wanted.treasury)
    call(
      'setTreasury',
      [treasury],
      treasury,
      `profit goes to ${treasury}, no longer to ${getAddress(roles.treasury)}`,
    );

  for (const [index, executor] of wanted.executors.entries()) {
    const address = getAddress(executor);
    if (roles.executors[index]) right.push(`executor ${address}`);
    else call('setExecutor', [address, true], `${address}, true`, `${address} may liquidate and pause`);
  }
  for (const [index, { address: counterparty, kind, keys }] of wanted.counterparties.entries()) {
    const address = getAddress(counterparty);
    const found = roles.kinds[index] ?? Kind.None;
    if (found === Kind[kind]) {
      right.push(`${kind} ${address} (${keys.join(', ')})`);
      continue;
    }
    const instead = found === Kind.None ? '' : `, no longer as ${kindName(found)}`;
    call(
      'setCounterparty',
      [address, Kind[kind]],
      `${address}, ${Kind[kind]}`,
      `lists ${keys.join(', ')} as ${kind}${instead}`,
    );
  }
  return { missing, right };
}

function kindName(number: number): string {
  return Object.entries(Kind).find(([, value]) => value === number)?.[0] ?? `kind ${number}`;
}

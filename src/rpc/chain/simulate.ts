import type { Address, Hash, Hex } from '../../domain/hex.js';
import { revertDataOf } from '../endpoints/revert-data.js';
import { toTopics } from './chain-answers.js';
import { hexQuantity, toData, toGas, toList, toLowerAddress, toObject, toSuccess } from '../quantities.js';

/** A call for eth_call and eth_simulateV1. */
export interface CallRequest {
  readonly from?: Address;
  readonly to: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value?: bigint;
  readonly gas?: bigint;
  /** Wei per gas. With them the sender must be able to pay for its gas. */
  readonly fees?: { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };
}

/**
 * Of a sender whose calls name their fees. A node refuses the whole question when it cannot pay for the gas
 * that one of its calls may burn; what the wallet can really pay is the business of the budget. Wei.
 */
export const BALANCE_IN_SIMULATION = 10n ** 24n;

export interface AccountOverride {
  /** Wei. */
  readonly balance?: bigint;
  readonly nonce?: number;
  readonly code?: Hex;
  /** The storage slots to change; the others stay as they are. */
  readonly stateDiff?: Readonly<Record<Hash, Hash>>;
}

export interface SimulateOptions {
  readonly stateOverrides?: Readonly<Record<Address, AccountOverride>>;
  /**
   * Of the simulated block: seconds since the epoch, wei per gas. Default: what the node takes for the next
   * block.
   */
  readonly blockOverrides?: { readonly timestamp?: number; readonly baseFeePerGas?: bigint };
  /** Whether nonces, balances and the base fee are checked as for a real block. Default: no. */
  readonly validation?: boolean;
}

export interface SimulatedLog {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Hex;
}

export interface SimulatedCall {
  readonly success: boolean;
  /** What the call returned, or what it reverted with. */
  readonly returnData: Hex;
  readonly gasUsed: bigint;
  /** Parsed when they are asked for: plans do not need them. @throws TypeError when they are malformed. */
  readonly logs: readonly SimulatedLog[];
}

/** For eth_call, for which every node understands `data`. */
export function callObject(call: CallRequest): object {
  return { ...commonFields(call), data: call.data };
}

function commonFields(call: CallRequest): object {
  return {
    ...(call.from && { from: call.from }),
    to: call.to,
    ...(call.value !== undefined && { value: hexQuantity(call.value) }),
    ...(call.gas !== undefined && { gas: hexQuantity(call.gas) }),
    ...(call.fees && {
      maxFeePerGas: hexQuantity(call.fees.maxFeePerGas),
      maxPriorityFeePerGas: hexQuantity(call.fees.maxPriorityFeePerGas),
    }),
  };
}

/**
 * One simulated block with all the calls: execution-apis eth_simulateV1. Calls should say how much gas they
 * may use. What nodes give to those that do not differs: all that is left of the block, which the first may
 * burn; an equal share; or more than a transaction may have, which is then refused. Where all calls say it,
 * the block has room for just them, however large the blocks of the chain are.
 */
export function simulationParams(calls: readonly CallRequest[], options: SimulateOptions = {}): object {
  const { stateOverrides, validation = false } = options;
  const blockOverrides = { ...roomFor(calls), ...blockOverridesToWire(options.blockOverrides ?? {}) };
  return {
    blockStateCalls: [
      {
        ...(Object.keys(blockOverrides).length > 0 && { blockOverrides }),
        ...(stateOverrides && { stateOverrides: stateOverridesToWire(stateOverrides) }),
        calls: calls.map((call) => ({ ...commonFields(call), input: call.data })),
      },
    ],
    validation,
    traceTransfers: false,
    returnFullTransactions: false,
  };
}

function roomFor(calls: readonly CallRequest[]): object {
  const limits = calls.map(({ gas }) => gas);
  if (!limits.every((gas) => gas !== undefined) || limits.length === 0) return {};
  return { gasLimit: hexQuantity(limits.reduce((sum, gas) => sum + gas, 0n)) };
}

/** @throws TypeError when the node does not give one result for each call. */
export function parseSimulation(raw: unknown, count: number): SimulatedCall[] {
  const blocks = toList(raw);
  if (blocks.length !== 1) throw new TypeError('one simulated block was expected');
  const calls = toList(toObject(blocks[0])['calls']);
  if (calls.length !== count) throw new TypeError(`${count} results were expected`);
  return calls.map(parseSimulatedCall);
}

function parseSimulatedCall(raw: unknown): SimulatedCall {
  const call = toObject(raw);
  const logs = call['logs'] ?? []; // some nodes leave them out for reverted calls
  const success = toSuccess(call['status']);
  const returnData = toData(success ? call['returnData'] : (call['returnData'] ?? '0x'), 'returnData');
  return {
    success,
    // geth, and reth since 2026, give what a call reverted with in its error, and leave returnData empty.
    returnData: success || returnData !== '0x' ? returnData : revertDataOf(toObject(call['error'] ?? {})),
    gasUsed: toGas(call['gasUsed'], 'gasUsed'),
    get logs() {
      return toList(logs).map(parseSimulatedLog);
    },
  };
}

function parseSimulatedLog(raw: unknown): SimulatedLog {
  const log = toObject(raw);
  return {
    address: toLowerAddress(log['address'], 'address'),
    topics: toTopics(log['topics']),
    data: toData(log['data'], 'data'),
  };
}

function blockOverridesToWire(overrides: NonNullable<SimulateOptions['blockOverrides']>): object {
  return {
    ...(overrides.timestamp !== undefined && { time: hexQuantity(overrides.timestamp) }),
    ...(overrides.baseFeePerGas !== undefined && { baseFeePerGas: hexQuantity(overrides.baseFeePerGas) }),
  };
}

function stateOverridesToWire(overrides: Readonly<Record<Address, AccountOverride>>): object {
  return Object.fromEntries(
    Object.entries(overrides).map(([address, { balance, nonce, code, stateDiff }]) => [
      address,
      {
        ...(balance !== undefined && { balance: hexQuantity(balance) }),
        ...(nonce !== undefined && { nonce: hexQuantity(nonce) }),
        ...(code !== undefined && { code }),
        ...(stateDiff && { stateDiff }),
      },
    ]),
  );
}

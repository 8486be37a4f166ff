import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Hex } from '../../domain/hex.js';
import {
  AlreadyKnown,
  CallReverted,
  FeeTooLow,
  InsufficientFunds,
  LogRangeTooLarge,
  NonceTooLow,
  ReplacementUnderpriced,
  RpcAnswerError,
  RpcError,
} from '../rpc-errors.js';

/** The `error` member of a JSON-RPC answer. */
export interface NodeError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The pause when an endpoint limits our rate without saying for how long, in milliseconds. */
export const DEFAULT_PAUSE_MS = 1_000;

// JSON-RPC has no common codes for these errors, so they are told apart by the words of each client. Sources:
// go-ethereum core/txpool/errors.go and core/error.go (op-geth and reth use the same words), erigon
// txpoolcfg.DiscardReason, nethermind AcceptTxResult, besu RpcErrorType, openethereum rpc/helpers/errors.rs,
// anvil PoolError.

const REVERTED =
  /\brevert(ed)?\b|vm execution error|evm error|invalid opcode|out of gas|stack (under|over)flow|invalid jump|write protection/i;

const ALREADY_KNOWN =
  /already ?known|\bknown transaction|already (been )?imported|with (the )?same hash|already_exists|already in (the )?(mem)?pool/i;

const NONCE_TOO_LOW = /nonce (is )?too low|\bold ?nonce|nonce (has )?already (been )?used/i;

const REPLACEMENT_UNDERPRICED =
  /replacement \S*\s?(is )?(underpriced|too low|not allowed)|replacement ?not ?allowed|could not replace existing|transaction with (the )?same nonce|own ?nonce ?already ?used/i;

const INSUFFICIENT_FUNDS =
  /insufficient ?(funds|balance)|upfront cost exceeds|not have enough (funds|balance)|not enough (funds|balance)/i;

const FEE_TOO_LOW =
  /underpriced|fee ?too ?low|max fee per gas less than|fee cap less than|gas price (supplied )?(is )?(too low|below)|tip cap.*below/i;

const OUT_OF_SYNC =
  /header (for hash )?not found|unknown block|block (\S+ )?(is )?not found|blockoutofrange|resource not found|missing trie node|no state available|state .*(not available|unavailable|pruned|not found)|not (currently )?canonical|beyond (the )?(current )?head|block .*does ?n[o']t exist|after last accepted block|\bsyncing\b/i;

const LOG_RANGE =
  /more than \d+|too (wide|large|big)|too many (?!requests)|block range|range (is )?(limit|exceed)|response size|limited to|query timeout|exceed.*results/i;

const RATE_LIMIT =
  /rate.?limit|too many requests|requests? limit|(?<!gas )limit (reached|exceeded)|exceeded .*(capacity|quota|credits|throughput|compute units)|throttl/i;

const PROVIDER_FAULT =
  /internal (server )?error|time(d )?.?out|temporarily|try again|upstream|unavailable|bad gateway|overloaded|\bbusy\b|unauthori[sz]ed|forbidden|authenticat|api key|project id/i;

/** -32005 and 429: Infura, Alchemy; -32007, -32016, -32029, -32097: other providers. */
const RATE_LIMIT_CODES = new Set([429, -32005, -32007, -32016, -32029, -32097]);
/** -32001: EIP-1474 "resource not found"; -39001: besu "unknown block". */
const OUT_OF_SYNC_CODES = new Set([-32001, -39001]);
/** -32603: internal error; -32002: resource unavailable. */
const PROVIDER_CODES = new Set([-32603, -32002]);

/**
 * The error class for an error answer of a node. Reverts are recognised first, because a contract may revert
 * with any words, for instance "nonce too low".
 *
 * @param reason the node's words, with secrets already removed.
 * @returns an {@link RpcError} when another endpoint should be asked, else the {@link RpcAnswerError} that
 * fits.
 */
export function classifyAnswer(
  endpoint: EndpointRole,
  method: string,
  error: NodeError,
  reason: string,
): RpcError | RpcAnswerError {
  const { code, message } = error;
  const unserved = (kind: 'rate-limit' | 'provider' | 'out-of-sync', retryAfterMs?: number): RpcError =>
    new RpcError(kind, endpoint, `${method} was answered with ${code}: ${reason}`, retryAfterMs);

  if (code === 3 || REVERTED.test(message)) return new CallReverted(code, reason, revertData(error.data));
  if (ALREADY_KNOWN.test(message)) return new AlreadyKnown(code, reason);
  if (NONCE_TOO_LOW.test(message)) return new NonceTooLow(code, reason);
  if (REPLACEMENT_UNDERPRICED.test(message)) return new ReplacementUnderpriced(code, reason);
  if (INSUFFICIENT_FUNDS.test(message)) return new InsufficientFunds(code, reason);
  if (FEE_TOO_LOW.test(message)) return new FeeTooLow(code, reason);
  if (OUT_OF_SYNC_CODES.has(code) || OUT_OF_SYNC.test(message)) return unserved('out-of-sync');
  if (method === 'eth_getLogs' && LOG_RANGE.test(message)) return new LogRangeTooLarge(code, reason);
  if (RATE_LIMIT_CODES.has(code) || RATE_LIMIT.test(message)) return unserved('rate-limit', DEFAULT_PAUSE_MS);
  if (PROVIDER_CODES.has(code) || PROVIDER_FAULT.test(message)) return unserved('provider');
  return new RpcAnswerError(code, reason);
}

/**
 * The bytes of a revert. Most nodes give hex, nethermind and parity give "Reverted 0x…", hardhat gives an
 * object that holds `data`.
 */
function revertData(data: unknown): Hex {
  if (typeof data === 'string') {
    const hex = /^(?:Reverted )?(0x(?:[0-9a-fA-F]{2})*)$/.exec(data.trim())?.[1];
    return (hex?.toLowerCase() ?? '0x') as Hex;
  }
  if (typeof data === 'object' && data !== null && 'data' in data && typeof data.data === 'string')
    return revertData(data.data);
  return '0x';
}

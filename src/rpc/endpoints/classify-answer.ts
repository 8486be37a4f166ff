import { parseDecimal } from '../../config/index.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import {
  AlreadyKnown,
  CallReverted,
  DelegatedAccountLimit,
  FeeCapExceeded,
  FeeTooLow,
  InsufficientFunds,
  LogRangeTooLarge,
  MethodMissing,
  NonceTooLow,
  NoPlaceInPool,
  ReplacementUnderpriced,
  RpcAnswerError,
  RpcError,
  TooLarge,
  TooManyAddresses,
  type RpcErrorKind,
} from '../rpc-errors.js';
import { revertDataOf } from './revert-data.js';
import { isSending } from './sending.js';
import { suggestedBlocks } from './suggested-size.js';

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
// anvil PoolError, reth rpc-eth-types/src/error; of providers: their public trouble reports.

const REVERTED =
  /\brevert(ed)?\b|vm execution error|vm exception|evm error|invalid opcode|out ?of ?gas|stack (under|over)flow|invalid ?jump|write protection/i;

const ALREADY_KNOWN =
  /already ?known|\bknown transaction|already (been )?imported|with (the )?same hash|already_exists|already in (the )?(mem)?pool/i;

const NONCE_TOO_LOW = /nonce (is )?too low|\bold ?nonce|nonce (has )?already (been )?used/i;

const REPLACEMENT_UNDERPRICED =
  /replacement \S*\s?(is )?(underpriced|too low|not allowed)|replacement ?not ?allowed|could not replace existing|transaction with (the )?same nonce|own ?nonce ?already ?used/i;

const INSUFFICIENT_FUNDS =
  /insufficient ?(funds|balance)|upfront cost exceeds|(not|n[’']?t) have enough (funds|balance)|not enough (funds|balance)/i;

const FEE_CAP =
  /fee\b.*exceeds? the config(ured|uration)? (fee )?cap|\bfee cap (is )?exceeded|exceeds? the (maximum )?(tx|transaction) fee cap|\bfee too high\b/i;

const FEE_TOO_LOW =
  /underpriced|fee ?too ?low|max fee per gas less than|fee cap less than|gas price (supplied )?(is )?(too low|below)|tip cap.*below/i;

const DELEGATED_ACCOUNT =
  /delegated account|from delegated|delegator ?has ?pending|current ?nonce ?for ?delegation|pending delegation|authority already reserved/i;

const NO_PLACE =
  /(tx|transaction)?_?\s?pool (is )?(full|overflow)|txpool is full|pool ?overflow|too many transactions in the (queue|pool)|discarded on insert|pool size constraints|(account|global|pending|queued) (slots|limit) exceeded|exceeded (its )?capacity in the pool|pool'?s? allocation exceeded|identified as a spammer|address already reserved/i;

/** The node does not have the block, or the state of it: not yet, not here, or not any more. */
const OUT_OF_SYNC = new RegExp(
  [
    /header (for hash )?not found/,
    /(unknown|unsupported|invalid|no such) (block|header|state|height)\b(?! range)/,
    /block ((with )?(number|hash|height) )?(\S+ )?(is |was )?(not found|unknown|not (yet )?available|out of range)/,
    /blockoutofrange/,
    /(requested )?(resource|header|data|state|trie|receipt) (is )?not (yet )?(found|available)/,
    /missing trie node|no state available|world state unavailable/,
    /state .*(not available|unavailable|pruned|not found)|state histor(y|ies).*(not|pruned|unavailable)/,
    /(historical|required) (state|data).*(not|pruned|unavailable)|(history|block|data).*\bpruned\b|\bpruned (history|block|state|data)/,
    /not (currently )?canonical|after last accepted block|unfinalized|first available (state|block)/,
    /(beyond|ahead of|greater than|higher than|after|above|past) (the )?(current |latest |last |best )?(known )?(head|tip|block|height)\b/,
    /(block|header|height|state) .*does ?n[o']t exist|(could ?n[o']t|cannot) find (block|header)/,
    /(fail(ed|ure)|unable) to (get|find|fetch|load|retrieve|look up) (the |a )?(block|header|state)\b/,
    /\bblocks? .*(cannot|can[’']t|could ?n[o’']t) be (found|resolved)/,
    /\b(is )?(still )?syncing\b|not (yet )?(synced|indexed|caught up)|lagging behind/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Words of a refused range of logs, or of an answer with too many of them. */
const LOG_RANGE =
  /\brange|\bblocks\b|too (wide|large|big|long)|too many (?!requests)|more than [\d,]+|results|response size|limited to|exceed|must be (smaller|less)|maximum|\bspan\b/i;

/** Words of a refused list of addresses, where nothing is said of blocks. */
const TOO_MANY_ADDRESSES =
  /\b(too many|less number of|fewer|exceeds?|max(imum)?|limited to|limit of|at most|up to|no more than|more than)\b[^.;]{0,30}\baddress(es)?\b|contains [\d,]+ filters\b/i;
const OF_BLOCKS = /\b(blocks?|range|results|logs? returned)\b/i;

const TIMED_OUT = /time(d )?.?out|deadline exceeded|took too long|cancell?ed/i;

const RATE_LIMIT =
  /rate.?limit|too many (requests|calls|connections)(?! in)|requests? limit|requests? per|per (second|minute|day)|(?<!gas )limit (reached|exceeded)|exceeded .*(capacity|quota|credits|throughput|compute units)|(quota|credits?|capacity).*(exceeded|reached|exhausted)|reached the (quota|free tier)|upgrade your|throttl|slow down/i;
/** A rate limit even where a range of logs was asked for. */
const RATE_OF_CALLS =
  /rate.?limit|too many (requests|calls)|compute units|quota|throughput|(requests?|calls) (limit|per)|per (second|minute|day)|\bcredits\b|throttl/i;

/** The node is there, and what it needs behind it is not: a sequencer, a backend, the network. */
const BEHIND_IT =
  /no (server|node|backend)s? (is |are )?(currently )?(available|healthy)|error sending request|\bdial (tcp|udp)|connection (was |is )?(refused|reset|closed|aborted)|\b(read|write): broken pipe|no such host|i\/o timeout|\bEOF\b|\btls: |x509: |certificate|(get|post) "?https?:/i;

const PROVIDER_FAULT =
  /internal (server )?error|temporarily|try again|upstream|unavailable|bad gateway|overloaded|\bbusy\b|unauthori[sz]ed|forbidden|authenticat|api key|project id|billing/i;

const TOO_LARGE =
  /(request|response|body|payload|entity|content|message|calldata|input|answer).{0,20} too (large|big|long)|(request|response|body|payload) size.{0,40}(exceed|limit|max)|exceeds the maximum (request|response|body|payload)/i;

const METHOD_MISSING =
  /\b(unknown|unsupported|unrecogni[sz]ed) method\b|\bmethod\b.{0,40}\b(not (found|supported|available|allowed|enabled|implemented|whitelisted)|(is )?(disabled|unsupported)|does ?n[o'’]t exist)/i;

/** -32601: JSON-RPC 2.0 "method not found"; -32004: EIP-1474 "method not supported". */
const METHOD_MISSING_CODES = new Set([-32601, -32004]);
/** -32005 and 429: Infura, Alchemy; -32007, -32016, -32029, -32097: other providers. */
const RATE_LIMIT_CODES = new Set([429, -32005, -32007, -32016, -32029, -32097]);
/** -32001: EIP-1474 "resource not found"; -39001: besu "unknown block"; 4444: EIP-4444 "pruned history". */
const OUT_OF_SYNC_CODES = new Set([-32001, -39001, 4444]);
/** -32603: internal error; -32002: resource unavailable, in geth a time-out. */
const PROVIDER_CODES = new Set([-32603, -32002]);

/** The calls in which a contract runs. */
const EXECUTING = new Set(['eth_call', 'eth_simulateV1', 'eth_estimateGas']);

/**
 * The error class for an error answer of a node. Reverts are recognised first, because a contract may revert
 * with any words, for instance "nonce too low". Final are only a revert, what is known about a transaction,
 * and any refusal of a transaction: an unknown refusal of anything else goes to the next endpoint.
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
  const { code } = error;
  const words = wordsOf(error);
  if (EXECUTING.has(method) || isSending(method)) {
    if (code === 3 || REVERTED.test(words)) return new CallReverted(code, reason, revertDataOf(error));
    const known = aboutTransaction(code, words, reason);
    if (known) return known;
  }
  const missing = (): RpcError =>
    new MethodMissing(endpoint, `it does not offer ${method}, and answered ${code}: ${reason}`);
  const unserved = (kind: RpcErrorKind, tooMuch = false): RpcError =>
    new RpcError(
      kind,
      endpoint,
      `${method} was answered with ${code}: ${reason}`,
      kind === 'rate-limit' ? DEFAULT_PAUSE_MS : undefined,
      tooMuch,
    );
  const isLogs = method === 'eth_getLogs';
  if (isLogs && TOO_MANY_ADDRESSES.test(words) && !OF_BLOCKS.test(words))
    return new TooManyAddresses(code, reason);
  if (isLogs && !RATE_OF_CALLS.test(words) && LOG_RANGE.test(words) && !OUT_OF_SYNC.test(words))
    return new LogRangeTooLarge(code, reason, suggestedBlocks(words));
  if (METHOD_MISSING_CODES.has(code)) return missing();
  if (OUT_OF_SYNC_CODES.has(code) || OUT_OF_SYNC.test(words)) return unserved('out-of-sync');
  if (!isSending(method) && TOO_LARGE.test(words)) return new TooLarge(code, reason);
  if (isLogs && TIMED_OUT.test(words)) return unserved('refused', true);
  if (RATE_LIMIT_CODES.has(code) || RATE_LIMIT.test(words)) return unserved('rate-limit');
  if (PROVIDER_CODES.has(code) || isFaultOfProvider(words)) return unserved('provider', isLogs);
  if (isSending(method)) return new RpcAnswerError(code, reason);
  return METHOD_MISSING.test(words) ? missing() : unserved('refused', isLogs);
}

function isFaultOfProvider(words: string): boolean {
  return [PROVIDER_FAULT, BEHIND_IT, TIMED_OUT].some((pattern) => pattern.test(words));
}

function aboutTransaction(code: number, words: string, reason: string): RpcAnswerError | undefined {
  if (ALREADY_KNOWN.test(words)) return new AlreadyKnown(code, reason);
  if (NONCE_TOO_LOW.test(words)) return new NonceTooLow(code, reason);
  if (REPLACEMENT_UNDERPRICED.test(words)) return new ReplacementUnderpriced(code, reason);
  if (FEE_CAP.test(words)) return new FeeCapExceeded(code, reason, capIn(reason));
  if (INSUFFICIENT_FUNDS.test(words)) return new InsufficientFunds(code, reason);
  if (DELEGATED_ACCOUNT.test(words)) return new DelegatedAccountLimit(code, reason);
  if (NO_PLACE.test(words)) return new NoPlaceInPool(code, reason);
  if (FEE_TOO_LOW.test(words)) return new FeeTooLow(code, reason);
  return undefined;
}

/** Of the words beside the message, only this much is read. */
const LONGEST_DETAIL = 500;

/** The message, and what providers write into `data` beside it: a text, or an object of texts. */
export function wordsOf({ message, data }: Pick<NodeError, 'message' | 'data'>): string {
  const texts = typeof data === 'object' && data !== null ? Object.values(data) : [data];
  const words = texts.filter((text) => typeof text === 'string' && !text.startsWith('0x'));
  return [message, words.join(' ').slice(0, LONGEST_DETAIL)].join(' ').trim();
}

/** The cap that a node names: "(1.00 ether)" of geth, "(1000000000000000000 wei)" of reth. */
function capIn(words: string): bigint | undefined {
  const [, amount = '', unit = ''] = /cap \((\d+(?:\.\d+)?) (\w+)\)/i.exec(words) ?? [];
  return parseDecimal(amount, unit.toLowerCase() === 'wei' ? 0 : 18);
}

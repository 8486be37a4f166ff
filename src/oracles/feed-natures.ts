import { id } from 'ethers';
import { leadingKind, type FeedKind, type FeedNature } from '../domain/feed-kinds.js';
import { addressAt, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import { ChimeraError } from '../domain/errors.js';
import type { Chain } from '../rpc/chain/chain.js';
import { MULTICALL3, type MulticallResult } from '../rpc/chain/multicall3.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import { FIRST_ADDRESS, wrappedFeedRead } from './oev-wrapper.js';

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

const TYPE_AND_VERSION = selector('typeAndVersion()');
/**
 * By what a contract names the feeds from which it makes its price. Ratios are not among them: they hardly
 * move.
 */
const BEHIND = [
  'aggregator()', // Chainlink's EACAggregatorProxy
  'ASSET_TO_USD_AGGREGATOR()', // Aave's PriceCapAdapterStable
  'BASE_TO_USD_AGGREGATOR()', // Aave's PriceCapAdapterBase
  'PEG_TO_BASE()', // Aave's CLSynchronicityPriceAdapterPegToBase, with the next
  'ASSET_TO_PEG()',
  'source()',
  'priceFeed()',
].map(selector);

/** From the feed to the last contract that is asked: adapter, adapter, proxy, aggregator, and one more. */
const MOST_LEVELS = 5;
/** Of one contract. The adapters above have two. Whoever makes an oracle chooses what it names. */
const MOST_BEHIND = 4;
/** So many contracts in one read. */
const CONTRACTS_PER_READ = 64;
/** A contract whose answer is too large fails its read. It is found by halves. So many reads may fail. */
const MOST_FAILURES = 64;
const ONE_WORD = 66;
const LONGEST_TEXT = 64;

/** What a contract says of itself. */
export interface Told {
  /** As it says it. */
  readonly type: string | undefined;
  /** It withholds the prices of the feed inside. */
  readonly isWrapper: boolean;
  /** The feeds from which it makes its price. */
  readonly behind: readonly Address[];
}

const SIGN_OF_LIFE: Read<undefined> = {
  calls: [{ to: MULTICALL3, data: selector('getBlockNumber()') }],
  decode: () => undefined,
};
const NOTHING: Told = { type: undefined, isWrapper: false, behind: [] };
const UNKNOWN: FeedNature = { kind: 'unknown', type: undefined };

/**
 * What each of these feeds is, as it and the contracts behind it say at a block.
 *
 * @throws RetryError when the chain cannot be read.
 */
export async function feedNatures(
  chain: Chain,
  feeds: readonly Address[],
  block: Hash,
): Promise<ReadonlyMap<Address, FeedNature>> {
  const told = new Map<Address, Told>();
  let asked = [...new Set(feeds)];
  for (let level = 0; level < MOST_LEVELS && asked.length > 0; level++) {
    for (const [contract, answer] of await tell(chain, asked, block)) told.set(contract, answer);
    const named = asked.flatMap((contract) => told.get(contract)?.behind ?? []);
    asked = [...new Set(named)].filter((contract) => !told.has(contract));
  }
  return new Map(feeds.map((feed) => [feed, natureOf(feed, told)]));
}

/** What a feed is, by what all contracts behind it say. Where one is missing, it has not been asked. */
export function natureOf(
  feed: Address,
  told: ReadonlyMap<Address, Told>,
  above: readonly Address[] = [],
): FeedNature {
  const own = told.get(feed);
  if (!own || above.includes(feed) || above.length >= MOST_LEVELS) return UNKNOWN;
  const type = own.type === undefined ? undefined : printable(own.type);
  const kind = own.isWrapper ? 'oev-wrapper' : kindOfType(own.type);
  if (kind) return { kind, type };
  const behind = own.behind.map((one) => natureOf(one, told, [...above, feed]));
  const leading = leadingKind(behind.map((one) => one.kind));
  // An unknown one tells its type as well: somebody may know it.
  return { kind: leading, type: behind.find((one) => one.kind === leading)?.type ?? type };
}

/** The kind of Chainlink's aggregators, by the name before the version; undefined for any other text. */
function kindOfType(type = ''): FeedKind | undefined {
  const name = /^(\w+) \d/.exec(type)?.[1] ?? '';
  if (name.endsWith('DualAggregator')) return 'svr';
  return /(?:Offchain|OCR2)Aggregator$/.test(name) ? 'public' : undefined;
}

/** Anybody can write this text: only plain characters, and not many of them. */
function printable(text: string): string | undefined {
  return text.replace(/[^ -~]/g, '').slice(0, LONGEST_TEXT) || undefined;
}

/** @throws RetryError when the node does not serve, or too many contracts could not be asked. */
async function tell(
  chain: Chain,
  contracts: readonly Address[],
  block: Hash,
): Promise<ReadonlyMap<Address, Told>> {
  const told = new Map<Address, Told>();
  const waiting: (readonly Address[])[] = [];
  for (let start = 0; start < contracts.length; start += CONTRACTS_PER_READ)
    waiting.push(contracts.slice(start, start + CONTRACTS_PER_READ));
  const silent: Address[] = [];
  for (let failures = 0, part = waiting.pop(); part; part = waiting.pop()) {
    try {
      const answers = await readAt(chain, each(part.map(toldRead)), block);
      for (const [index, contract] of part.entries()) told.set(contract, answers[index] ?? NOTHING);
    } catch (error) {
      if (!(error instanceof ChimeraError) || ++failures > MOST_FAILURES) throw error;
      const [only] = part;
      const half = Math.ceil(part.length / 2);
      if (part.length > 1) waiting.push(part.slice(0, half), part.slice(half));
      else if (only) silent.push(only);
    }
  }
  // When no contract answers, the node may be away.
  if (told.size === 0) await readAt(chain, SIGN_OF_LIFE, block);
  for (const contract of silent) told.set(contract, NOTHING);
  return told;
}

/** What a contract says of itself. Never throws: what it does not answer as expected, it does not say. */
export function toldRead(contract: Address): Read<Told> {
  const ask = (data: Hex): Read<MulticallResult | undefined> => ({
    calls: [{ to: contract, data }],
    decode: ([result]) => result,
  });
  const all = together(ask(TYPE_AND_VERSION), each(BEHIND.map(ask)), wrappedFeedRead(contract));
  return {
    calls: all.calls,
    decode: (results) => {
      const [type, behind, inside] = all.decode(results);
      const named = new Set(behind.flatMap((result) => addressIn(result) ?? []));
      return {
        type: textIn(type),
        isWrapper: inside !== undefined,
        behind: [...named].slice(0, MOST_BEHIND),
      };
    },
  };
}

/**
 * Whether a contract says that it is an aggregator of SVR feeds. It tells a new answer by its log, and shows
 * it to the market some time later. Never throws.
 */
export function isDualRead(contract: Address): Read<boolean> {
  return {
    calls: [{ to: contract, data: TYPE_AND_VERSION }],
    decode: ([result]) => kindOfType(textIn(result)) === 'svr',
  };
}

function addressIn(result: MulticallResult | undefined): Address | undefined {
  if (result?.success !== true || result.data.length !== ONE_WORD) return undefined;
  const word = uintAt(result.data, 0);
  return word >= FIRST_ADDRESS && word < 1n << 160n ? addressAt(result.data, 0) : undefined;
}

/** An ABI-encoded string: offset, length, bytes. Undefined where there is none, or an empty one. */
function textIn(result: MulticallResult | undefined): string | undefined {
  if (result?.success !== true || result.data.length < 2 + 3 * 64) return undefined;
  const bytes = result.data.slice(2 + 2 * 64);
  const length = uintAt(result.data, 1);
  if (uintAt(result.data, 0) !== 32n || length === 0n || length > BigInt(bytes.length / 2)) return undefined;
  // One byte more than is shown: a text that is cut is not taken for one that ends there.
  const shown = Math.min(Number(length), LONGEST_TEXT + 1);
  return Buffer.from(bytes.slice(0, 2 * shown), 'hex').toString('latin1');
}

/** The lies of a hostile primary: one kind of number each. */
import { id, keccak256 } from 'ethers';
import type { SeededRandom } from '../../../devnet/random.js';
import type { DevnetAddresses } from '../../../devnet/deploy/deployment.js';
import {
  anyOf,
  contractAnswers,
  fieldsOf,
  hex,
  resultOf,
  simulatedCalls,
  withWord,
  word,
  type SubCall,
} from '../../../testing/nodes/lies.js';
import { headerHash } from '../../../src/rpc/header-hashes.js';
import type { Answer, Call, Lie } from '../../../testing/nodes/lying-node.js';

export interface HostileWorld {
  readonly addresses: DevnetAddresses;
  readonly random: SeededRandom;
}

export interface HostileKind {
  readonly name: string;
  readonly lie?: (world: HostileWorld) => Lie;
  /** Answers instead of the honest node, which never sees the call. */
  readonly swallow?: (world: HostileWorld) => (call: Call) => Answer | undefined;
}

const HEADERS = ['eth_getBlockByNumber', 'eth_getBlockByHash', 'eth_subscription'];
const selector = (signature: string): string => id(signature).slice(0, 10);

const LATEST_ROUND_DATA = selector('latestRoundData()');
const AGGREGATOR = selector('aggregator()');
const GET_ASSETS_PRICES = selector('getAssetsPrices(address[])');
const GET_ASSET_PRICE = selector('getAssetPrice(address)');
const SCALED_BALANCE = selector('scaledBalanceOf(address)');
const USER_DATA = selector('getUserAccountData(address)');
const GET_L1_FEE = selector('getL1Fee(bytes)');
const SLOT0 = id('slot0()').slice(0, 10);
const ANSWER_UPDATED = id('AnswerUpdated(int256,uint256,uint256)');
const BORROW = id('Borrow(address,address,address,uint256,uint8,uint256,uint16)');

const called =
  (...selectors: readonly string[]) =>
  (call: SubCall): boolean =>
    selectors.some((one) => call.data.startsWith(one));
const onHeaders = (edit: Parameters<typeof fieldsOf>[1]): Lie =>
  fieldsOf(HEADERS, (object) => ('parentHash' in object ? edit(object) : {}));
const receipts = (edit: Parameters<typeof fieldsOf>[1]): Lie => fieldsOf(['eth_getTransactionReceipt'], edit);
const asBigInt = (value: unknown): bigint => BigInt(String(value));

type Log = Readonly<Record<string, unknown>> & { readonly topics: readonly string[]; readonly data: string };
const logs = (edit: (all: Log[]) => Log[]): Lie => resultOf('eth_getLogs', (result) => edit(result as Log[]));

const pushedLogs = (edit: Parameters<typeof fieldsOf>[1]): Lie =>
  fieldsOf(['eth_subscription'], (object) => ('logIndex' in object ? edit(object) : {}));

/** Another price in every AnswerUpdated. */
const priceLogs = (edit: (price: bigint) => bigint): Lie =>
  logs((all) =>
    all.map((log) =>
      log.topics[0] === ANSWER_UPDATED
        ? {
            ...log,
            topics: [log.topics[0], `0x${word(edit(BigInt(log.topics[1] ?? 0)))}`, ...log.topics.slice(2)],
          }
        : log,
    ),
  );

/** The native feed answers this; its logs are hidden, so that it has to be asked. */
const nativePrice =
  (price: (random: SeededRandom) => bigint) =>
  ({ addresses, random }: HostileWorld): Lie => {
    const feed = addresses.nativeUsdFeed.toLowerCase();
    const answer = price(random);
    return anyOf(
      contractAnswers(
        ({ to, data }) => to === feed && (data.startsWith(LATEST_ROUND_DATA) || data.startsWith(AGGREGATOR)),
        (data, call) => (call.data.startsWith(AGGREGATOR) ? data : withWord(data, 1, () => answer)),
      ),
      priceLogs(() => answer),
    );
  };

const count =
  (edit: (value: bigint, random: SeededRandom) => bigint) =>
  ({ random }: HostileWorld): Lie =>
    resultOf('eth_getTransactionCount', (result) => hex(edit(asBigInt(result), random)));

const refusal = (code: number, message: string): Answer => ({ error: { code, message } });

export const HOSTILE_KINDS: readonly HostileKind[] = [
  { name: 'a native price of a cent', lie: nativePrice((random) => BigInt(random.integer(1, 2_000_000))) },
  {
    name: 'a native price of millions',
    lie: nativePrice((random) => BigInt(random.integer(1, 900)) * 10n ** 14n),
  },
  { name: 'a native price of nothing', lie: nativePrice(() => 0n) },
  { name: 'prices in logs that are a third lower', lie: () => priceLogs((price) => (price * 2n) / 3n) },
  {
    name: 'prices in the oracle that are a tenth lower',
    lie: () =>
      anyOf(
        contractAnswers(called(GET_ASSETS_PRICES), (data) =>
          everyWordFrom(data, 2, (value) => (value * 9n) / 10n),
        ),
        contractAnswers(called(GET_ASSET_PRICE), (data) => withWord(data, 0, (value) => (value * 9n) / 10n)),
      ),
  },
  {
    name: 'a profit many times the true one',
    lie: ({ random }) => {
      const times = BigInt(random.integer(2, 100_000));
      return simulatedCalls(({ returnData }) => ({
        returnData: withWord(String(returnData), 6, (value) => value * times),
      }));
    },
  },
  {
    name: 'a profit of 2^256-1',
    lie: () =>
      simulatedCalls(({ returnData }) => ({
        returnData: withWord(String(returnData), 6, () => 2n ** 256n - 1n),
      })),
  },
  { name: 'no gas used in a simulation', lie: () => simulatedCalls(() => ({ gasUsed: '0x0' })) },
  {
    name: 'little gas used in a simulation',
    lie: ({ random }) => {
      const gas = hex(random.integer(1, 100_000));
      return simulatedCalls(() => ({ gasUsed: gas }));
    },
  },
  { name: 'a gas of 2^64 in a simulation', lie: () => simulatedCalls(() => ({ gasUsed: hex(2n ** 64n) })) },
  { name: 'calls that all revert', lie: () => simulatedCalls(() => ({ status: '0x0', returnData: '0x' })) },
  { name: 'a data fee of nothing', lie: () => contractAnswers(called(GET_L1_FEE), () => `0x${word(0n)}`) },
  {
    name: 'a data fee of many ether',
    lie: ({ random }) => {
      const fee = BigInt(random.integer(1, 1_000)) * 10n ** 18n;
      return contractAnswers(called(GET_L1_FEE), () => `0x${word(fee)}`);
    },
  },
  {
    name: 'another price of each pool',
    lie: ({ random }) => {
      const factor = BigInt(random.integer(2, 10));
      return contractAnswers(called(SLOT0), (data) => withWord(data, 0, (price) => price / factor));
    },
  },
  { name: 'a base fee of 1 wei', lie: () => onHeaders(() => ({ baseFeePerGas: '0x1' })) },
  { name: 'a base fee of 2^255', lie: () => onHeaders(() => ({ baseFeePerGas: hex(2n ** 255n) })) },
  { name: 'a base fee of a thousand gwei', lie: () => onHeaders(() => ({ baseFeePerGas: hex(10n ** 12n) })) },
  {
    name: 'a head far ahead, as a header',
    lie: ({ random }) => {
      const ahead = BigInt(random.integer(100, 1_000_000));
      return (call, truth) =>
        call.params[0] === 'latest' || call.method === 'eth_subscription'
          ? onHeaders(({ number }) => ({ number: hex(asBigInt(number) + ahead) }))(call, truth)
          : undefined;
    },
  },
  {
    name: 'a head that stands still',
    lie: () => {
      let first: unknown;
      return (call, truth) => {
        if (call.params[0] !== 'latest' || !call.method.startsWith('eth_getBlock')) return undefined;
        first ??= truth.result;
        return { ...truth, result: first };
      };
    },
  },
  {
    name: 'headers with another hash',
    lie: ({ random }) => {
      const hash = `0x${word(BigInt(random.integer(1, 2 ** 40)))}`;
      return onHeaders(() => ({ hash }));
    },
  },
  { name: 'headers of another parent', lie: () => onHeaders(() => ({ parentHash: `0x${'ee'.repeat(32)}` })) },
  {
    name: 'a time of the next year',
    lie: () => onHeaders(({ timestamp }) => ({ timestamp: hex(asBigInt(timestamp) + 31_536_000n) })),
  },
  {
    name: 'a time of the next year, under hashes that fit',
    lie: () =>
      onHeaders((header) => {
        const timestamp = hex(asBigInt(header['timestamp']) + 31_536_000n);
        return { timestamp, hash: headerHash({ ...header, timestamp }) };
      }),
  },
  {
    name: 'more transactions of ours than there are',
    lie: count((value, random) => value + BigInt(random.integer(1, 50))),
  },
  { name: 'a transaction count of 2^49', lie: count(() => 2n ** 49n - 1n) },
  { name: 'fewer transactions of ours than there are', lie: count(() => 0n) },
  { name: 'receipts that are missing', lie: () => resultOf('eth_getTransactionReceipt', () => null) },
  { name: 'receipts that say reverted', lie: () => receipts(() => ({ status: '0x0', logs: [] })) },
  {
    name: 'receipts with a profit many times the true one',
    lie: () =>
      receipts(({ logs: all }) => ({
        logs: (all as Log[]).map((log) => ({
          ...log,
          data: everyWordFrom(log.data, 0, (value) => (value < 2n ** 128n ? value * 50n : value)),
        })),
      })),
  },
  { name: 'receipts with a gas price of 0', lie: () => receipts(() => ({ effectiveGasPrice: '0x0' })) },
  { name: 'receipts of almost no gas', lie: () => receipts(() => ({ gasUsed: '0x5209' })) },
  {
    name: 'receipts with a gas price of 2^200',
    lie: () => receipts(() => ({ effectiveGasPrice: hex(2n ** 200n) })),
  },
  {
    name: 'receipts of another block',
    lie: () =>
      receipts(({ blockNumber }) => ({
        blockNumber: hex(asBigInt(blockNumber) + 3n),
        blockHash: `0x${'dd'.repeat(32)}`,
      })),
  },
  { name: 'no logs at all', lie: () => logs(() => []) },
  { name: 'the last log of each block', lie: () => logs((all) => all.slice(0, -1)) },
  {
    name: 'logs over the WebSocket that no block holds',
    lie: () => pushedLogs(() => ({ logIndex: '0x2710', topics: [BORROW] })),
  },
  {
    name: 'logs over the WebSocket that are others of their block, twice',
    lie: () => pushedLogs(() => ({ logIndex: '0x2711' })),
  },
  {
    name: 'logs that nobody emitted',
    lie: () =>
      logs((all) =>
        all.map((log) =>
          log.topics[0] === ANSWER_UPDATED ? { ...log, topics: [BORROW, ...log.topics.slice(1)] } : log,
        ),
      ),
  },
  {
    name: 'logs whose data is cut off',
    lie: () =>
      logs((all) => all.map((log, index) => (index === all.length - 1 ? { ...log, data: '0x01' } : log))),
  },
  { name: 'a wallet of a million ether', lie: () => resultOf('eth_getBalance', () => hex(10n ** 24n)) },
  { name: 'an empty wallet', lie: () => resultOf('eth_getBalance', () => '0x0') },
  {
    name: 'positions that are twice as large',
    lie: () =>
      contractAnswers(called(SCALED_BALANCE, USER_DATA), (data) => withWord(data, 0, (value) => value * 2n)),
  },
  {
    name: 'transactions that it takes and keeps to itself',
    swallow:
      () =>
      ({ method, params }) =>
        method === 'eth_sendRawTransaction' ? { result: keccak256(String(params[0])) } : undefined,
  },
  {
    name: 'transactions refused in words of its own',
    swallow:
      () =>
      ({ method }) =>
        method === 'eth_sendRawTransaction' ? refusal(-32099, 'the stars are not right') : undefined,
  },
  {
    name: 'transactions whose nonce is said to be too low',
    swallow:
      () =>
      ({ method }) =>
        method === 'eth_sendRawTransaction'
          ? refusal(-32000, 'nonce too low: next nonce 999, tx nonce 0')
          : undefined,
  },
  {
    name: 'a wallet that is said to be too poor',
    swallow:
      () =>
      ({ method }) =>
        method === 'eth_sendRawTransaction'
          ? refusal(-32000, 'insufficient funds for gas * price + value')
          : undefined,
  },
];

function everyWordFrom(data: string, first: number, edit: (value: bigint) => bigint): string {
  const words = Math.floor((data.length - 2) / 64);
  let edited = data;
  for (let index = first; index < words; index++) edited = withWord(edited, index, edit);
  return edited;
}

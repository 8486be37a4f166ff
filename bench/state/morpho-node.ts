/** Stands in for a node: answers the oracles and the feeds of a synthetic Morpho Blue. */
import { id } from 'ethers';
import { addressWord, uintWord, type Address, type Hex } from '../../src/domain/hex.js';
import { Secret } from '../../src/domain/secret.js';
import { RpcPool, type BatchAnswers, type RpcCall } from '../../src/rpc/endpoints/rpc-pool.js';
import { oraclePriceOf, type BlueWorld } from './morpho-world.js';

const WORD = 64;
const PRICE = id('price()').slice(2, 10);
const AGGREGATOR = id('aggregator()').slice(2, 10);
const LATEST_ROUND_DATA = id('latestRoundData()').slice(2, 10);

export class BlueNode extends RpcPool {
  /** What answering took: it is no work of the bot. Milliseconds. */
  busyMs = 0;
  usd8: ReadonlyMap<Address, bigint>;
  timestamp: number;
  private readonly tokenOfFeed: ReadonlyMap<string, Address>;
  private readonly aggregators: ReadonlyMap<string, Address>;
  private readonly marketOf: ReadonlyMap<string, BlueWorld['markets'][number]>;

  constructor({ tokens, markets, usd8, timestamp }: BlueWorld) {
    super({ chainId: 1, primary: { http: new Secret('http://127.0.0.1:1') } });
    [this.usd8, this.timestamp] = [usd8, timestamp];
    this.tokenOfFeed = new Map(tokens.map(({ feed, address }) => [feed, address]));
    this.aggregators = new Map(tokens.map(({ feed, aggregator }) => [feed, aggregator]));
    this.marketOf = new Map(markets.map((market) => [market.params.oracle, market]));
  }

  override batchAs<const Calls extends readonly RpcCall<unknown>[], T>(
    calls: Calls,
    combine: (answers: BatchAnswers<Calls>) => T,
  ): Promise<T> {
    const begin = performance.now();
    const raw = calls.map(({ params: [request] }) => this.answer((request as { data: Hex }).data));
    this.busyMs += performance.now() - begin;
    const answers = calls.map(({ parse }, index) => parse(raw[index]));
    return Promise.resolve(combine(answers as BatchAnswers<Calls>));
  }

  /** Of aggregate3, with the offsets that the ABI says. */
  private answer(data: Hex): Hex {
    const list = data.slice(2 + 8 + 2 * WORD);
    const at = (place: number): number => Number.parseInt(list.slice(place + WORD - 12, place + WORD), 16);
    const count = Number.parseInt(data.slice(2 + 8 + 2 * WORD - 12, 2 + 8 + 2 * WORD), 16);
    const offsets: string[] = [];
    const tuples: string[] = [];
    let offset = count * 32;
    for (let index = 0; index < count; index++) {
      const tuple = 2 * at(index * WORD);
      const to = list.slice(tuple + WORD - 40, tuple + WORD);
      const bytes = tuple + 4 * WORD;
      const answered = this.called(`0x${to}`, list.slice(bytes, bytes + 8));
      const [success, returned] = answered === undefined ? [0, ''] : [1, answered];
      offsets.push(uintWord(offset));
      tuples.push(uintWord(success), uintWord(64), uintWord(returned.length / 2), returned);
      offset += 3 * 32 + returned.length / 2;
    }
    return `0x${uintWord(32)}${uintWord(count)}${offsets.join('')}${tuples.join('')}`;
  }

  private called(to: string, selector: string): string | undefined {
    if (selector === PRICE) {
      const market = this.marketOf.get(to);
      return market && uintWord(oraclePriceOf(market, this.usd8));
    }
    const [token, aggregator] = [this.tokenOfFeed.get(to), this.aggregators.get(to)];
    // What Multicall3 says of its own gas.
    if (!token || !aggregator) return '';
    if (selector === AGGREGATOR) return addressWord(aggregator);
    if (selector !== LATEST_ROUND_DATA) return undefined;
    const round = [1n, this.usd8.get(token) ?? 0n, this.timestamp, this.timestamp, 1n];
    return round.map((value) => uintWord(value)).join('');
  }
}

import { describe, expect, it } from 'vitest';
import { standIn } from '../../testing/fakes/stand-in.js';
import { RetryError } from '../domain/errors.js';
import type { Address, Hash, Hex } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { MulticallCall, MulticallResult } from '../rpc/chain/multicall3.js';
import { feedNatures, natureOf, toldRead, type Told } from './feed-natures.js';

const address = (index: number): Address => `0x${(0xfeed_0000 + index).toString(16).padStart(40, '1')}`;
const BLOCK: Hash = `0x${'b1'.repeat(32)}`;
const [FEED, PROXY, AGGREGATOR] = [address(1), address(2), address(3)];
const PUBLIC = 'AccessControlledOCR2Aggregator 1.0.0';
const SVR = 'DualAggregator 1.0.0';

const says = (type: string): Told => ({ type, isWrapper: false, behind: [] });
const over = (...behind: Address[]): Told => ({ type: undefined, isWrapper: false, behind });
const WRAPPER: Told = { type: undefined, isWrapper: true, behind: [PROXY] };

function natureWith(told: Readonly<Record<Address, Told>>): { kind: string; type: string | undefined } {
  return natureOf(FEED, new Map(Object.entries(told) as [Address, Told][]));
}

describe('what a feed is, by what the contracts behind it say', () => {
  it.each([
    ['AccessControlledOffchainAggregator 4.0.0', 'public'],
    ['AccessControlledOCR2Aggregator 1.0.0', 'public'],
    ['OCR2Aggregator 1.0.0', 'public'],
    ['DualAggregator 1.0.0', 'svr'],
    ['DualAggregator 2.1.0-beta', 'svr'],
    ['Aggregator 1.0.0', 'unknown'],
    ['DualAggregatorProxy 1.0.0', 'unknown'],
    ['DualAggregator', 'unknown'],
    ['not a DualAggregator 1.0.0', 'unknown'],
    ['Dual\0Aggregator 1.0.0', 'unknown'],
    [' DualAggregator 1.0.0', 'unknown'],
    ['', 'unknown'],
  ])('the aggregator behind the proxy that says %j is %s', (type, kind) => {
    expect(natureWith({ [FEED]: over(AGGREGATOR), [AGGREGATOR]: says(type) }).kind).toBe(kind);
  });

  it('an aggregator without a proxy tells its kind itself', () => {
    expect(natureWith({ [FEED]: says(SVR) })).toEqual({ kind: 'svr', type: SVR });
  });

  it('an adapter over an adapter over a proxy is what the aggregator is', () => {
    const chained = { [FEED]: over(address(4)), [address(4)]: over(PROXY), [PROXY]: over(AGGREGATOR) };
    expect(natureWith({ ...chained, [AGGREGATOR]: says(SVR) })).toEqual({ kind: 'svr', type: SVR });
  });

  it.each([
    { one: SVR, other: PUBLIC, kind: 'svr' },
    { one: PUBLIC, other: SVR, kind: 'svr' },
    { one: PUBLIC, other: 'Something 1.0.0', kind: 'unknown' },
    { one: SVR, other: 'Something 1.0.0', kind: 'svr' },
    { one: PUBLIC, other: PUBLIC, kind: 'public' },
  ])('an adapter over $one and $other is $kind', ({ one, other, kind }) => {
    const told = { [FEED]: over(address(4), address(5)), [address(4)]: says(one), [address(5)]: says(other) };
    expect(natureWith(told).kind).toBe(kind);
  });

  it('a wrapper is a wrapper, whatever feed is inside', () => {
    expect(natureWith({ [FEED]: WRAPPER, [PROXY]: over(AGGREGATOR), [AGGREGATOR]: says(SVR) })).toEqual({
      kind: 'oev-wrapper',
      type: undefined,
    });
  });

  it('what names itself or goes in a circle is unknown', () => {
    expect(natureWith({ [FEED]: over(FEED) }).kind).toBe('unknown');
    expect(natureWith({ [FEED]: over(PROXY), [PROXY]: over(FEED) }).kind).toBe('unknown');
  });

  it('an adapter that names itself beside a feed is never taken for public', () => {
    expect(natureWith({ [FEED]: over(FEED, AGGREGATOR), [AGGREGATOR]: says(PUBLIC) }).kind).toBe('unknown');
  });

  it('a chain of more contracts than are asked is unknown', () => {
    const links = Array.from(
      { length: 6 },
      (_, index) => [address(10 + index), over(address(11 + index))] as const,
    );
    const told = new Map([
      [FEED, over(address(10))] as const,
      ...links,
      [address(16), says(PUBLIC)] as const,
    ]);
    expect(natureOf(FEED, told).kind).toBe('unknown');
  });

  it('the text of an unknown aggregator is shown, without control characters and not at full length', () => {
    const { kind, type } = natureWith({ [FEED]: says(`Mine\u001b[31m\n\u009b ${'x'.repeat(500)} 1.0`) });
    expect(kind).toBe('unknown');
    expect(type).toMatch(/^[ -~]{64}$/);
    expect(type).toContain('Mine[31m');
  });
});

/** The answers of a contract to the calls of {@link toldRead}, in their order. */
function answersOf(
  contract: Address,
  answer: (call: MulticallCall, index: number) => Partial<MulticallResult>,
): Told {
  const { calls, decode } = toldRead(contract);
  return decode(calls.map((call, index) => ({ success: true, data: '0x', ...answer(call, index) })));
}

const word = (value: bigint | Address): string => BigInt(value).toString(16).padStart(64, '0');
function encoded(text: string, { length = BigInt(text.length), offset = 32n } = {}): Hex {
  const bytes = Buffer.from(text, 'latin1').toString('hex');
  return `0x${word(offset)}${word(length)}${bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0')}`;
}

describe('the answers of a contract', () => {
  const typeOf = (data: Hex): string | undefined => answersOf(FEED, () => ({ data })).type;

  it('that reverts, or has no code, say nothing', () => {
    const nothing = { type: undefined, isWrapper: false, behind: [] };
    expect(answersOf(FEED, () => ({ success: false, data: encoded(SVR) }))).toEqual(nothing);
    expect(answersOf(FEED, () => ({ data: '0x' }))).toEqual(nothing);
  });

  it('hold the text', () => {
    expect(typeOf(encoded(SVR))).toBe(SVR);
  });

  it.each<readonly [string, Hex]>([
    ['an empty text', encoded('')],
    ['a length beyond the data', encoded(SVR, { length: 33n })],
    ['the greatest length', encoded(SVR, { length: 2n ** 256n - 1n })],
    ['another offset', encoded(SVR, { offset: 64n })],
    ['a single word', `0x${word(32n)}`],
  ])('with %s hold none', (_name, data) => {
    expect(typeOf(data)).toBeUndefined();
  });

  it('with a text of a megabyte hold a short one', () => {
    expect(typeOf(encoded(`DualAggregator ${'9'.repeat(1_000_000)}`))?.length).toBeLessThanOrEqual(65);
  });

  it.each([0n, 1n, 8n, 2n ** 64n - 1n, 2n ** 160n, 2n ** 256n - 1n])(
    'with the number %s name no feed',
    (number) => {
      expect(answersOf(FEED, () => ({ data: `0x${word(number)}` })).behind).toEqual([]);
    },
  );

  it('of one feed under all names name it once, and of more than four only the first four', () => {
    expect(answersOf(FEED, () => ({ data: `0x${word(PROXY)}` })).behind).toEqual([PROXY]);
    const many = answersOf(FEED, (_call, index) => ({ data: `0x${word(address(20 + index))}` }));
    expect(many.behind).toHaveLength(4);
  });

  it('without one mark of a wrapper are not those of one', () => {
    const calls = toldRead(FEED).calls.length;
    const wrapping = (without?: number): Told =>
      answersOf(FEED, (_call, index) => {
        const mark = index - (calls - 4);
        if (mark < 0 || mark === without) return { success: false };
        return { data: `0x${word([BigInt(PROXY), 7n, 10n, 4_000n][mark] ?? 0n)}` };
      });
    expect(wrapping().isWrapper).toBe(true);
    for (const mark of [0, 1, 2, 3]) expect(wrapping(mark).isWrapper).toBe(false);
  });

  it.each([BigInt(PROXY), 1n])(
    'that are the same to every question (%s) are not those of a wrapper',
    (same) => {
      expect(answersOf(FEED, () => ({ data: `0x${word(same)}` })).isWrapper).toBe(false);
    },
  );
});

/** A node with these contracts. A read that asks one of the silent ones fails as a whole. */
function chainWith(
  answers: ReadonlyMap<Address, (data: Hex) => Hex | undefined>,
  silent: readonly Address[] = [],
  isAway = false,
): { chain: Chain; asked: Address[][] } {
  const asked: Address[][] = [];
  const multicallAs = <T>(
    calls: readonly MulticallCall[],
    _block: Hash,
    decode: (results: MulticallResult[]) => T,
  ): Promise<T> => {
    asked.push([...new Set(calls.map(({ to }) => to))]);
    if (isAway || calls.some(({ to }) => silent.includes(to)))
      return Promise.reject(new RetryError('the answer is larger than 4194304 bytes'));
    const results = calls.map(({ to, data }): MulticallResult => {
      const answer = answers.get(to)?.(data);
      return { success: answer !== undefined, data: answer ?? '0x' };
    });
    return Promise.resolve(decode(results));
  };
  return { chain: standIn<Chain>('chain', { multicallAs: multicallAs }), asked };
}

const TYPE_AND_VERSION = '0x181f5a77';
const AGGREGATOR_CALL = '0x245a7bfc';
const saying =
  (type: string) =>
  (data: Hex): Hex | undefined =>
    data === TYPE_AND_VERSION ? encoded(type) : undefined;
const proxying =
  (to: Address) =>
  (data: Hex): Hex | undefined =>
    data === AGGREGATOR_CALL ? `0x${word(to)}` : undefined;

describe('reading what feeds are', () => {
  it('asks one level at a time, each contract once', async () => {
    const { chain, asked } = chainWith(
      new Map([
        [FEED, proxying(AGGREGATOR)],
        [PROXY, proxying(AGGREGATOR)],
        [AGGREGATOR, saying(SVR)],
      ]),
    );
    const natures = await feedNatures(chain, [FEED, PROXY, FEED], BLOCK);
    expect([...natures].map(([feed, { kind }]) => [feed, kind])).toEqual([
      [FEED, 'svr'],
      [PROXY, 'svr'],
    ]);
    expect(asked).toEqual([[FEED, PROXY], [AGGREGATOR]]);
  });

  it('finds the contracts that cannot be asked, and knows the others all the same', async () => {
    const feeds = Array.from({ length: 100 }, (_, index) => address(100 + index));
    const silent = [address(107), address(163), address(199)];
    const { chain } = chainWith(new Map(feeds.map((feed) => [feed, saying(PUBLIC)])), silent);
    const natures = await feedNatures(chain, feeds, BLOCK);
    const unknown = [...natures].filter(([, { kind }]) => kind === 'unknown').map(([feed]) => feed);
    expect(unknown).toEqual(silent);
  });

  it('knows a single feed that cannot be asked as unknown while the node serves', async () => {
    const { chain } = chainWith(new Map(), [FEED]);
    expect((await feedNatures(chain, [FEED], BLOCK)).get(FEED)?.kind).toBe('unknown');
  });

  it('takes no feed for unknown while the node is away', async () => {
    const { chain } = chainWith(new Map(), [], true);
    await expect(feedNatures(chain, [FEED, PROXY], BLOCK)).rejects.toThrow(RetryError);
  });

  it('ends at an adapter whose feeds are new ones without end', async () => {
    const { chain, asked } = chainWith(
      new Proxy(new Map<Address, (data: Hex) => Hex | undefined>(), {
        get: () => (of: Address) => (data: Hex) => `0x${word(BigInt(of) * 7n + BigInt(data))}`.slice(0, 66),
      }),
    );
    expect((await feedNatures(chain, [FEED], BLOCK)).get(FEED)?.kind).not.toBe('public');
    expect(asked.flat().length).toBeLessThanOrEqual(1 + 4 + 16 + 64 + 256);
  });
});

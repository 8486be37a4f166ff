import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { hashOf, hex, logOf, type Fault, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { Chain } from '../chain/chain.js';
import { AnswerScan, mostBytesOf, refusalOf } from './answer-limits.js';

const MANY_KEYS = 'holds more than 200 different keys';
const keys = (count: number, entry: (n: number) => string): string =>
  `{${Array.from({ length: count }, (_, n) => entry(n)).join(',')}}`;
const bytes = (text: string): Buffer => Buffer.from(text);

describe('the scan of an answer', () => {
  it.each<[string, string]>([
    ['a batch of answers', JSON.stringify([{ id: 1, result: [{ logs: [{ topics: ['0x'] }] }] }])],
    ['brackets within a string', JSON.stringify({ reason: '['.repeat(100) })],
    ['an escaped quote before brackets', JSON.stringify({ reason: `"${'['.repeat(100)}\\` })],
    ['a block with all keys that nodes know', keys(60, (n) => `"key${n}":"0x${n}"`)],
    [
      'the same keys again and again',
      `[${`${keys(60, (n) => `"key${n}":"0x${'0'.repeat(40)}"`)},`.repeat(500)}]`,
    ],
    ['many short values', JSON.stringify(Array.from({ length: 9_000 }, () => 1))],
    ['thousands of logs', JSON.stringify(Array.from({ length: 5_000 }, (_, index) => logOf(index)))],
  ])('accepts %s', (_name, text) => {
    expect(refusalOf(bytes(text))).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ['deep nesting', '['.repeat(1_000), 'nests deeper than 32'],
    ['deep nesting of objects', '{"a":'.repeat(1_000), 'nests deeper than 32'],
    ['a list of empty lists', `[${'[],'.repeat(100_000)}`, 'holds too many values'],
    ['a megabyte of short objects', `[${'{"abcd":123456},'.repeat(65_536)}`, 'holds too many values'],
    ['an object of different keys', keys(1_000, (n) => `"key-${n}-of-many-that-are-long":1`), MANY_KEYS],
    [
      'objects of different keys',
      keys(1_000, (n) => `"${n}":{"x${n}":"a text of more than 32 bytes"}`),
      MANY_KEYS,
    ],
    ['a list of zeros', `[${'0,'.repeat(100_000)}`, 'holds too many values'],
  ])('F56 refuses %s', (_name, text, why) => {
    expect(refusalOf(bytes(text))).toBe(why);
  });

  it('F56 sees what lies over the border of two chunks', () => {
    const scan = new AnswerScan(1_000);
    expect(scan.take(bytes(`{"a":"${'['.repeat(40)}\\`))).toBeUndefined();
    expect(scan.take(bytes(`"${'['.repeat(40)}","b":${'['.repeat(31)}`))).toBeUndefined();
    expect(scan.take(bytes('['))).toBe('nests deeper than 32');
  });

  it.each([
    '{"a\\"b":"\\\\","c":[{"d":"\\\\\\""},{"d":"["}]}',
    keys(201, (n) => `"k\\"${n}":"\\\\"`),
    `{"a":"\\"${'['.repeat(40)}","b":${'['.repeat(32)}`,
  ])('F56 says the same of %s wherever its chunks end, also of empty ones', (text) => {
    const whole = refusalOf(bytes(text));
    for (let end = 0; end <= text.length; end++) {
      const scan = new AnswerScan(100_000);
      const parts = [text.slice(0, end), '', text.slice(end)].map((part) => scan.take(bytes(part)));
      expect(parts.find((part) => part !== undefined)).toBe(whole);
    }
  });

  it('F56 has a limit for each method, and one for all calls of a request together', () => {
    expect(mostBytesOf(['eth_chainId'])).toBe(65_536);
    expect(mostBytesOf(['eth_chainId', 'eth_blockNumber'])).toBe(131_072);
    expect(mostBytesOf(['eth_getLogs', 'eth_getLogs', 'eth_getLogs'])).toBe(8 * 1024 * 1024);
  });
});

describe('an answer that is too much', () => {
  let fakes: FakePool;
  let chain: Chain;
  let primary: FakeRpc;
  let backup: FakeRpc;

  beforeEach(async () => {
    fakes = await startFakePool({ timings: { deadlineMs: 5_000 } });
    ({ primary, backup } = fakes);
    chain = new Chain(fakes.pool);
  });
  afterEach(() => fakes.close());

  const result = (json: string): Fault => ({
    kind: 'body',
    body: `{"jsonrpc":"2.0","id":1,"result":${json}}`,
  });
  const SIXTY_TWO_MB = 62_000_000;

  it.each<[string, Fault]>([
    ['62 MB of nested JSON', result(`${'['.repeat(SIXTY_TWO_MB / 2)}${']'.repeat(SIXTY_TWO_MB / 2)}`)],
    [
      '62 MB of nested JSON that its length does not announce',
      {
        kind: 'status',
        status: 200,
        headers: { 'transfer-encoding': 'chunked' },
        body: '['.repeat(SIXTY_TWO_MB),
      },
    ],
    ['62 MB of empty objects', result(`[${'{},'.repeat(SIXTY_TWO_MB / 3)}{}]`)],
    ['62 MB in one string', result(`"0x${'0'.repeat(SIXTY_TWO_MB)}"`)],
    ['100 kB instead of a number', result(`"0x${'0'.repeat(100_000)}"`)],
    ['a nesting of 40 in 100 bytes', result(`${'['.repeat(40)}${']'.repeat(40)}`)],
    [
      '62 MB in the words of an error',
      {
        kind: 'body',
        body: `{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"${'x'.repeat(SIXTY_TWO_MB)}"}}`,
      },
    ],
  ])('F56 %s is refused before it is parsed; the next endpoint is asked', async (_name, fault) => {
    primary.failMethod('eth_getTransactionCount', fault);
    for (const node of [primary, backup]) node.on('eth_getTransactionCount', () => '0x7');
    const parse = JSON.parse;
    const parsed: number[] = [];
    JSON.parse = (text: string, ...rest: []): unknown => {
      parsed.push(text.length);
      return parse(text, ...rest) as unknown;
    };
    try {
      expect(await chain.getTransactionCount(`0x${'22'.repeat(20)}`)).toBe(7);
    } finally {
      JSON.parse = parse;
    }
    expect(Math.max(...parsed)).toBeLessThan(1_000);
    expect(fakes.pool.status()[0]).toMatchObject({ role: 'primary', failed: 1 });

    primary.failMethod('eth_getTransactionCount', undefined);
    primary.on('eth_getTransactionCount', () => '0x8');
    expect(await chain.getTransactionCount(`0x${'22'.repeat(20)}`)).toBe(8);
  });

  it('F56 a compressed answer, which was not asked for, is refused', async () => {
    const bomb = gzipSync(`{"jsonrpc":"2.0","id":1,"result":"0x${'0'.repeat(10_000_000)}"}`);
    primary.fault = {
      kind: 'status',
      status: 200,
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: bomb.toString('latin1'),
    };
    expect(await chain.getBlock('latest')).toMatchObject({ number: 100 });
    expect(backup.requests).toBe(1);
    primary.fault = undefined;
    await chain.getBlock('latest');
    expect(backup.requests).toBe(1);
  });

  it.each<[string, string]>([
    ['__proto__', '{"__proto__":{"number":"0x64","polluted":true}}'],
    ['constructor', '{"constructor":{"prototype":{"polluted":true}},"number":"0x64"}'],
    ['toString as a number', '{"toString":1,"valueOf":2,"number":"0x64"}'],
    ['a number of 400 digits', `{"number":${'9'.repeat(400)}}`],
    ['1e400', '{"number":1e400}'],
    ['a hex number of 10,000 digits', `{"number":"0x${'f'.repeat(10_000)}"}`],
    ['a length in place of a list', '{"length":3}'],
  ])('A17 a block with %s is no block, and nothing is changed by it', async (_name, json) => {
    primary.fault = result(json);
    expect(await chain.getBlock('latest')).toMatchObject({ number: 100, hash: hashOf(100) });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(backup.requests).toBe(1);

    primary.fault = undefined;
    primary.head = 101;
    expect(await chain.getBlock('latest')).toMatchObject({ number: 101 });
  });

  it.each<[string, string, string]>([
    ['a block number of 400 digits', '"blockNumber":"0x64"', `"blockNumber":${'9'.repeat(400)}`],
    ['a log index of 10,000 hex digits', '"logIndex":"0x0"', `"logIndex":"0x${'f'.repeat(10_000)}"`],
    ['a negative log index', '"logIndex":"0x0"', '"logIndex":-1'],
    ['topics that are no list', '"topics":[', '"topics":{"length":1,"0":"0x"},"others":['],
    ['data that is no hex', '"data":"', '"data":"javascript:'],
    ['a prototype in place of its hash', '"blockHash":"', '"__proto__":{"polluted":true},"hash":"'],
  ])('A17 a log with %s is no log, and the next endpoint is asked', async (_name, from, to) => {
    const logs = JSON.stringify([logOf(100)]);
    expect(logs).toContain(from);
    primary.failMethod('eth_getLogs', result(logs.replace(from, to)));
    backup.on('eth_getLogs', () => [logOf(100)]);
    expect(await chain.getLogs({ blockHash: hashOf(100) }, [], [])).toHaveLength(1);
    expect(backup.requests).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('F56 the logs of a busy block are within the limit', async () => {
    const logs = Array.from({ length: 5_000 }, (_, index) => logOf(9, { logIndex: hex(index) }));
    primary.on('eth_getLogs', () => logs);
    expect(await chain.getLogs({ blockHash: hashOf(9) }, [], [])).toHaveLength(5_000);
  });
});

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address, Hash } from '../../domain/hex.js';
import { linesOf } from './lines.js';
import { readSnapshot, writeSnapshot } from './snapshot-file.js';

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;
const hash = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`;

const AAVE = { name: 'aave', kind: 'aave-v3', contract: address(1), block: 100, hash: hash(100) };
const MORPHO = { name: 'morpho', kind: 'morpho-blue', contract: address(2), block: 90, hash: hash(90) };
const WHOLE = [
  { ...MORPHO, found: new Map([[address(0xb), [hash(7), hash(6)]]]) },
  {
    ...AAVE,
    found: new Map<Address, Hash[]>([
      [address(0xc), []],
      [address(0xa), []],
    ]),
  },
];

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chimera-snapshot-'));
  file = join(directory, 'positions.ndjson.gz');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const linesIn = (): string[] => gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');

/** Writes these lines, and the checksum that fits them. */
function withChecksum(lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('');
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(file, gzipSync(`${text}${JSON.stringify({ sha256 })}\n`));
}

/** The lines of a good file without the checksum, changed, and with a checksum that fits them. */
async function changed(change: (lines: string[]) => readonly string[]): Promise<void> {
  await writeSnapshot(file, 8453, WHOLE);
  withChecksum(change(linesIn().slice(0, -1)));
}

const refused = async (reason: RegExp | string): Promise<void> => {
  await expect(readSnapshot(file)).rejects.toThrow(reason);
  await expect(readSnapshot(file)).rejects.toThrow(file);
};

describe('a file of positions', () => {
  it('gives back what was written, markets and accounts in their order', async () => {
    const sha256 = await writeSnapshot(file, 8453, WHOLE);
    expect(await readSnapshot(file)).toEqual({
      chainId: 8453,
      markets: [
        { ...AAVE, accounts: 2, found: new Map([address(0xa), address(0xc)].map((one) => [one, []])) },
        { ...MORPHO, accounts: 1, found: new Map([[address(0xb), [hash(6), hash(7)]]]) },
      ],
    });
    expect(linesIn()).toEqual([
      `{"format":"chimera-positions","version":1,"chainId":8453,"markets":[{"name":"aave","kind":"aave-v3","contract":"${address(1)}","block":100,"hash":"${hash(100)}","accounts":2},{"name":"morpho","kind":"morpho-blue","contract":"${address(2)}","block":90,"hash":"${hash(90)}","accounts":1}]}`,
      `[0,"${address(0xa)}"]`,
      `[0,"${address(0xc)}"]`,
      `[1,"${address(0xb)}",["${hash(6)}","${hash(7)}"]]`,
      `{"sha256":"${sha256}"}`,
    ]);
  });

  it('has the same bytes for the same accounts, whatever their order was', async () => {
    await writeSnapshot(file, 8453, WHOLE);
    const other = join(directory, 'other.gz');
    const turned = WHOLE.toReversed().map((market) => ({
      ...market,
      found: new Map([...market.found].reverse()),
    }));
    await writeSnapshot(other, 8453, turned);
    expect(readFileSync(other).equals(readFileSync(file))).toBe(true);
  });

  it('can be of ten thousand accounts, and of none', async () => {
    const found = new Map(Array.from({ length: 10_000 }, (_, n) => [address(n), []] as const));
    await writeSnapshot(file, 1, [
      { ...AAVE, found },
      { ...MORPHO, found: new Map() },
    ]);
    const [aave, morpho] = (await readSnapshot(file)).markets;
    expect(aave?.found).toEqual(found);
    expect(morpho?.found.size).toBe(0);
  });

  it('is not written over a file that exists', async () => {
    writeFileSync(file, 'precious');
    await expect(writeSnapshot(file, 1, WHOLE)).rejects.toThrow(`${file}: it exists already`);
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('is refused where there is none, and where it is a directory or a link', async () => {
    await refused(/ENOENT/);
    mkdirSync(file);
    await refused('it is a directory; a file was expected');
    rmSync(file, { recursive: true });
    await writeSnapshot(join(directory, 'real.gz'), 1, WHOLE);
    symlinkSync(join(directory, 'real.gz'), file);
    await refused('it is a symbolic link; a file was expected');
  });

  it('is refused where it is no gzip, empty, or cut', async () => {
    writeFileSync(file, '{"format":"chimera-positions"}\n');
    await refused('it is no gzip file');
    writeFileSync(file, '');
    await refused(/line 1: .*(the file ends here|cannot be unpacked)/);
    rmSync(file);
    await writeSnapshot(file, 1, WHOLE);
    const whole = readFileSync(file);
    for (const length of [5, 30, whole.length - 12, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      await refused(/line \d+: it cannot be unpacked: unexpected end of file/);
    }
  });

  it('is refused after any byte was changed', async () => {
    await writeSnapshot(file, 8453, WHOLE);
    const text = gunzipSync(readFileSync(file)).toString();
    for (const at of [3, 150, text.indexOf('[0') + 20, text.length - 20]) {
      const flipped = text[at] === '1' ? '2' : '1';
      writeFileSync(file, gzipSync(text.slice(0, at) + flipped + text.slice(at + 1)));
      await refused(/line \d: /);
    }
  });

  it('is refused without its checksum, and with another one', async () => {
    await writeSnapshot(file, 8453, WHOLE);
    const lines = linesIn();
    writeFileSync(file, gzipSync(lines.slice(0, -1).join('\n')));
    await refused('line 5: the file ends here; the checksum was expected');
    writeFileSync(file, gzipSync([...lines.slice(0, -1), '{"sha256":"00"}'].join('\n')));
    await refused(/line 5: the checksum is "00", but that of the lines before is [0-9a-f]{64}/);
    writeFileSync(file, gzipSync([...lines, lines[1]].join('\n')));
    await refused('line 6: there is more after the checksum');
  });

  it.each<[string, (lines: string[]) => readonly string[], string]>([
    [
      'of another format',
      () => ['{"format":"other"}'],
      'line 1: it is no header of the format chimera-positions',
    ],
    [
      'of a later version',
      ([first = '']) => [first.replace('"version":1', '"version":2')],
      'line 1: the version of the format is 2; 1 was expected',
    ],
    [
      'without a chain',
      ([first = '']) => [first.replace('8453', '"x"')],
      'line 1: the header lacks the chain id or the markets',
    ],
    [
      'with a market without a hash',
      ([first = '']) => [first.replace(hash(100), '0x1')],
      'line 1: the market "aave" of the header lacks its block, hash',
    ],
    [
      'with a market twice',
      ([first = '']) => [first.replace('"morpho"', '"aave"')],
      'line 1: the header names the market aave twice',
    ],
    ['with a line that is not JSON', ([first = '']) => [first, 'nonsense'], 'line 2: it is not JSON'],
    [
      'with a line of something else',
      ([first = '']) => [first, '7'],
      'line 2: it is neither an account nor the checksum',
    ],
    [
      'with a market that is not listed',
      ([first = '']) => [first, `[9,"${address(3)}"]`],
      'line 2: market 9 is not in the header',
    ],
    ['with an address in capitals', ([first = '']) => [first, `[0,"0x${'A'.repeat(40)}"]`], 'is no address'],
    [
      'with a state beside an account',
      ([first = '']) => [first, `[0,"${address(3)}",[],"1000"]`],
      'line 2: it is no account',
    ],
    [
      'with a place that is none',
      ([first = '']) => [first, `[0,"${address(3)}",["0x12"]]`],
      'are not different ids',
    ],
    [
      'with an account twice',
      ([first = '', one = '']) => [first, one, one],
      `line 3: ${address(0xa)} of aave comes twice`,
    ],
    [
      'with accounts in another order',
      ([first = '', one = '', two = '']) => [first, two, one],
      `line 3: ${address(0xa)} of aave is out of order`,
    ],
    [
      'with an account too many',
      ([first = '', one = '', two = '']) => [first, one, two, `[0,"${address(0xd)}"]`],
      'line 4: aave has more accounts than the 2 of the header',
    ],
    [
      'with an account too few',
      ([first = '', one = '']) => [first, one],
      'line 3: aave has 1 accounts, not the 2 of the header',
    ],
  ])('is refused %s', async (_, change, reason) => {
    await changed(change);
    await refused(reason);
  });

  it('is refused for a line that never ends, before the rest of it is unpacked', async () => {
    writeFileSync(file, gzipSync(Buffer.alloc(8 * 1024 * 1024, 'x')));
    await refused('line 1: it is longer than 1048576 bytes');
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        yield await Promise.resolve(Buffer.alloc(100, 'x'));
      }
    }
    await expect(linesOf(endless(), 1_000).next()).rejects.toThrow('it is longer than 1000 bytes');
    expect(given).toBe(11);
  });
});

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { messageOf, StartupError } from '../../domain/errors.js';
import { isHash, type Address, type Hash } from '../../domain/hex.js';
import { linesOf, LineTooLong } from './lines.js';

/**
 * A file of the accounts of markets, each up to a block: gzip, and one JSON value in each line. The first
 * line is the header. Then comes a line for each account: the index of its market in the header, the account,
 * and the places of its debts where its family needs them. The last line is the SHA-256 of all bytes before
 * it. Markets are sorted by name and accounts by address, so that the same accounts always give the same
 * bytes, and none can come twice.
 */
const FORMAT = 'chimera-positions';
const VERSION = 1;
/** An account with debts in thousands of markets of Morpho has less. */
const MOST_BYTES_OF_LINE = 1_048_576;

/** What the file says of a market. */
export interface SnapshotMarket {
  readonly name: string;
  /** As in the configuration. */
  readonly kind: string;
  /** The contract that stands for the market in the configuration. */
  readonly contract: Address;
  /** Every account that has debt at this block is in the file. */
  readonly block: number;
  readonly hash: Hash;
  /** How many accounts follow. */
  readonly accounts: number;
}

/** Accounts, each with the places of its debts. */
export type Accounts = ReadonlyMap<Address, readonly Hash[]>;

export interface Snapshot {
  readonly chainId: number;
  readonly markets: readonly (SnapshotMarket & { readonly found: Accounts })[];
}

/**
 * Writes a new file. One that cannot be finished is removed, and would be refused: it lacks the checksum.
 *
 * @param markets `accounts` is counted here.
 * @returns the SHA-256 of its last line.
 * @throws StartupError when the file exists already, or cannot be written.
 */
export async function writeSnapshot(
  file: string,
  chainId: number,
  markets: readonly (Omit<SnapshotMarket, 'accounts'> & { readonly found: Accounts })[],
): Promise<string> {
  const hash = createHash('sha256');
  let handle: FileHandle;
  try {
    handle = await open(file, 'wx');
  } catch (error) {
    const exists = codeOf(error) === 'EEXIST';
    throw new StartupError([
      exists ? `${file}: it exists already; the name of a new file was expected` : said(file, error),
    ]);
  }
  try {
    const out = handle.createWriteStream();
    await pipeline(Readable.from(textOf(chainId, markets, hash), { objectMode: false }), createGzip(), out);
    return hash.digest('hex');
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw new StartupError([said(file, error)]);
  }
}

function* textOf(
  chainId: number,
  markets: readonly (Omit<SnapshotMarket, 'accounts'> & { readonly found: Accounts })[],
  hash: ReturnType<typeof createHash>,
): Generator<string> {
  const sorted = markets.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  const listed = sorted.map(({ name, kind, contract, block, hash: of, found }) => ({
    ...{ name, kind, contract, block, hash: of, accounts: found.size },
  }));
  yield line({ format: FORMAT, version: VERSION, chainId, markets: listed });
  for (const [index, { found }] of sorted.entries())
    for (const account of [...found.keys()].sort()) {
      const places = [...(found.get(account) ?? [])].sort();
      yield line(places.length > 0 ? [index, account, places] : [index, account]);
    }
  yield `${JSON.stringify({ sha256: hash.copy().digest('hex') })}\n`;
}

/**
 * Reads a whole file and checks everything that can be checked without a chain.
 *
 * @throws StartupError in one sentence, with the number of the line.
 */
export async function readSnapshot(file: string): Promise<Snapshot> {
  const handle = await openFile(file);
  const source = handle.createReadStream();
  const unpacked = createGunzip();
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  const reader = new SnapshotReader();
  let line = 0;
  try {
    for await (const text of linesOf(unpacked, MOST_BYTES_OF_LINE)) {
      line += 1;
      reader.take(text);
    }
    line += 1;
    return reader.finish();
  } catch (error) {
    if (error instanceof BadLine || error instanceof LineTooLong)
      throw new StartupError([
        `${file}: line ${error instanceof LineTooLong ? line + 1 : line}: ${error.message}`,
      ]);
    if (line === 0 && codeOf(error) === 'Z_DATA_ERROR')
      throw new StartupError([`${file}: it is no gzip file; one of positions export was expected`]);
    throw new StartupError([`${file}: line ${line + 1}: it cannot be unpacked: ${messageOf(error)}`]);
  } finally {
    source.destroy();
    unpacked.destroy();
    await handle.close().catch(() => undefined);
  }
}

/** A link could lead anywhere, and a pipe would never end. */
async function openFile(file: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const isLink = codeOf(error) === 'ELOOP';
    throw new StartupError([
      isLink ? `${file}: it is a symbolic link; a file was expected` : said(file, error),
    ]);
  }
  const stats = await handle.stat();
  if (stats.isFile()) return handle;
  await handle.close();
  const what = stats.isDirectory() ? 'a directory' : 'no ordinary file';
  throw new StartupError([`${file}: it is ${what}; a file was expected`]);
}

/** What is wrong with a line. */
class BadLine extends Error {}

class SnapshotReader {
  private readonly hash = createHash('sha256');
  private header: { readonly chainId: number; readonly markets: readonly SnapshotMarket[] } | undefined;
  private found: Map<Address, readonly Hash[]>[] = [];
  private last: { readonly index: number; readonly account: Address } | undefined;
  private ended = false;

  take(text: string): void {
    if (this.ended) throw new BadLine('there is more after the checksum, which is the last line');
    const value = parsed(text);
    if (!this.header) {
      this.header = headerOf(value);
      this.found = this.header.markets.map(() => new Map<Address, readonly Hash[]>());
    } else if (Array.isArray(value)) this.add(value, this.header.markets);
    else {
      this.end(value, this.header.markets);
      return;
    }
    this.hash.update(`${text}\n`);
  }

  finish(): Snapshot {
    if (!this.header || !this.ended) throw new BadLine('the file ends here; the checksum was expected');
    const { chainId, markets } = this.header;
    return {
      chainId,
      markets: markets.map((market, index) => ({ ...market, found: this.found[index] ?? new Map() })),
    };
  }

  private add(line: readonly unknown[], markets: readonly SnapshotMarket[]): void {
    const [index, account, places = []] = line;
    if (line.length > 3 || typeof index !== 'number' || !Array.isArray(places))
      throw new BadLine('it is no account; [market, account] or [market, account, places] was expected');
    const [market, found] = [markets[index], this.found[index]];
    if (!market || !found) throw new BadLine(`market ${index} is not in the header`);
    if (!isPlainAddress(account))
      throw new BadLine(`${shown(account)} is no address: 0x and 40 hex digits in lower case were expected`);
    const ids: readonly unknown[] = places;
    if (!ids.every(isHash) || new Set(ids).size < ids.length)
      throw new BadLine(`the places of ${account} are not different ids of 0x and 64 hex digits`);
    if (this.last?.index === index && this.last.account === account)
      throw new BadLine(`${account} of ${market.name} comes twice`);
    if (this.last && (this.last.index > index || (this.last.index === index && this.last.account > account)))
      throw new BadLine(`${account} of ${market.name} is out of order, so it may come twice`);
    if (found.size === market.accounts)
      throw new BadLine(`${market.name} has more accounts than the ${market.accounts} of the header`);
    found.set(account, ids);
    this.last = { index, account };
  }

  private end(value: unknown, markets: readonly SnapshotMarket[]): void {
    const sha256 = isRecord(value) ? value['sha256'] : undefined;
    if (typeof sha256 !== 'string') throw new BadLine('it is neither an account nor the checksum');
    const own = this.hash.digest('hex');
    if (sha256 !== own)
      throw new BadLine(`the checksum is ${shown(sha256)}, but that of the lines before is ${own}`);
    for (const [index, { name, accounts }] of markets.entries())
      if (this.found[index]?.size !== accounts)
        throw new BadLine(
          `${name} has ${this.found[index]?.size ?? 0} accounts, not the ${accounts} of the header`,
        );
    this.ended = true;
  }
}

function headerOf(value: unknown): { chainId: number; markets: SnapshotMarket[] } {
  if (!isRecord(value) || value['format'] !== FORMAT)
    throw new BadLine(`it is no header of the format ${FORMAT}`);
  const { version, chainId, markets } = value;
  if (version !== VERSION)
    throw new BadLine(`the version of the format is ${shown(version)}; ${VERSION} was expected`);
  if (!isCount(chainId) || !Array.isArray(markets))
    throw new BadLine('the header lacks the chain id or the markets');
  const listed: readonly unknown[] = markets;
  const read = listed.map(marketOf);
  const twice = read.find(({ name }, index) => read.findIndex((other) => other.name === name) < index);
  if (twice) throw new BadLine(`the header names the market ${twice.name} twice`);
  return { chainId, markets: read };
}

function marketOf(value: unknown): SnapshotMarket {
  const { name, kind, contract, block, hash, accounts } = isRecord(value) ? value : {};
  if (typeof name !== 'string' || typeof kind !== 'string' || !isPlainAddress(contract))
    throw new BadLine('a market of the header lacks its name, kind or contract');
  if (!isCount(block) || !isHash(hash) || !isCount(accounts))
    throw new BadLine(`the market ${shown(name)} of the header lacks its block, hash or number of accounts`);
  return { name, kind, contract, block, hash, accounts };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadLine('it is not JSON');
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isPlainAddress(value: unknown): value is Address {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value);
}

/** A value of a file that may hold anything, short enough for a sentence. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function said(file: string, error: unknown): string {
  return `${file}: ${messageOf(error)}`;
}

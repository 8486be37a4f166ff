import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers, operatorPrivateKey, startDevnet, type Devnet } from '../../devnet/index.js';
import { botConfig, newApiKeys, type BotSettings } from '../../devnet/stack/bot-config.js';
import { LEAST, VARIABLES } from '../../testing/configuration.js';
import { TestDatabase } from '../../testing/database.js';
import { HeldBackfill } from '../../testing/fakes/held-backfill.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { viewOf } from '../../testing/state.js';
import { MemoryCache } from '../cache/index.js';
import { parseConfig, type ChimeraConfig } from '../config/index.js';
import { CheckpointsRepository, LeasesRepository } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { toAddress, type Address } from '../domain/hex.js';
import { WAD } from '../domain/money.js';
import { FeedBook } from '../oracles/feed-book.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { marketOf, tokenPricesOf } from '../protocols/market-kinds.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { CheckpointStore } from '../state/checkpoint-store.js';
import { DoubtedPositions } from '../state/doubted-positions.js';
import { StateEngine } from '../state/state-engine.js';
import { exportPositions, type ExportedPositions } from './positions-export.js';
import { importPositions, type ImportedMarket, type ImportOptions } from './positions-import.js';

const ETHER = 10n ** 18n;
const AAVE_BORROWERS = 6;
const MARKETS = ['aave', 'compound', 'morpho'];

let devnet: Devnet;
let database: TestDatabase;
let directory: string;
let file: string;
let clean: string;
let printed: string[];
let open: (() => Promise<void>)[];

beforeAll(async () => {
  [database, devnet] = await Promise.all([TestDatabase.start(), startDevnet()]);
  await devnet.openPositions(demoBorrowers(AAVE_BORROWERS));
  await devnet.openCompoundPosition({
    collateral: { symbol: 'WETH', amount: 10n * ETHER },
    debt: { symbol: 'USDC', amount: 9_000n * 10n ** 6n },
  });
  await borrowOfMorpho();
  await borrowOfMorpho();
});
afterAll(async () => {
  await devnet.stop();
  await database.stop();
});
beforeEach(async () => {
  clean = await devnet.snapshot();
  directory = mkdtempSync(join(tmpdir(), 'chimera-positions-'));
  file = join(directory, 'positions.ndjson.gz');
  [printed, open] = [[], []];
});
afterEach(async () => {
  for (const close of open) await close();
  rmSync(directory, { recursive: true, force: true });
  await database.dataSource.query('TRUNCATE positions, checkpoints, leases');
  await devnet.revert(clean);
});

async function borrowOfMorpho(): Promise<Address> {
  const market = devnet.morphoMarket('WETH', 'USDC');
  return toAddress(
    await devnet.openMorphoPosition({ market, collateral: 10n * ETHER, debt: 5_000n * 10n ** 6n }),
  );
}

async function borrowOfAave(): Promise<Address> {
  const collaterals = [{ symbol: 'WETH' as const, amount: ETHER }];
  return toAddress(
    await devnet.openPosition({ collaterals, debts: [{ symbol: 'USDC', amount: 10n ** 9n }] }),
  );
}

function configured(settings: BotSettings = {}, change = (yaml: string): string => yaml): ChimeraConfig {
  const { host, port, user, password, database: name } = database.server;
  const all: BotSettings = { beside: ['compound', 'morpho'], ...settings };
  const yaml = botConfig(devnet, { host, port, database: name }, newApiKeys(), all);
  return parseConfig(change(yaml), {
    RPC_PRIMARY_HTTP: devnet.rpcUrl,
    RPC_PRIMARY_WS: devnet.wsUrl,
    DB_USER: user,
    DB_PASSWORD: password.reveal(),
    OPERATOR_PRIVATE_KEY: operatorPrivateKey,
  });
}

const terminal = {
  print: (line: string) => void printed.push(line),
  remark: (line: string) => void printed.push(line),
};
const exported = async (market?: string): Promise<ExportedPositions> => {
  printed = [];
  const config = configured();
  const options = { file, json: true, ...(market === undefined ? {} : { market }) };
  expect(await exportPositions(options, terminal, () => Promise.resolve(config))).toBe(0);
  return JSON.parse(printed.join('\n')) as ExportedPositions;
};
const imported = async (options: ImportOptions = {}, config = configured()): Promise<ImportedMarket[]> => {
  printed = [];
  expect(
    await importPositions({ file, json: true, ...options }, terminal, () => Promise.resolve(config)),
  ).toBe(0);
  return JSON.parse(printed.filter((line) => line.startsWith('[')).join('\n')) as ImportedMarket[];
};

interface Bot {
  readonly engine: StateEngine;
  readonly backfill: HeldBackfill;
  readonly events: RecordedEvents;
  readonly store: CheckpointStore;
  /** Searches of logs for borrowers: ranges of blocks. */
  readonly searched: (readonly [number, number])[];
}

/** The state of a bot of the three markets, started at the latest block. It searches when it is told to. */
async function startBot(): Promise<Bot> {
  const config = configured();
  const pool = new RpcPool({ chainId: devnet.chainId, primary: config.rpc.primary });
  const chain = new Chain(pool);
  const [guard, clock, events] = [new PriceGuard(config), new Clock(), new RecordedEvents()];
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const tokenPrices = tokenPricesOf(config.protocols, chain);
  const searched: (readonly [number, number])[] = [];
  const markets = config.protocols.map((protocol) => {
    const healthFactors = { decideBelowWad: WAD, watchBelowWad: 2n ** 255n };
    const market = marketOf(protocol, { chain, feeds, guard, tokenPrices, healthFactors });
    const search = market.accountsIn.bind(market);
    market.accountsIn = (from, to) => {
      searched.push([from, to]);
      return search(from, to);
    };
    return { market, fromBlock: 0 };
  });
  const repository = new CheckpointsRepository(database.database, devnet.chainId);
  const store = new CheckpointStore(repository, new MemoryCache(), events);
  const backfill = new HeldBackfill(store, events, clock, chain);
  const doubts = new DoubtedPositions(clock);
  const engine = new StateEngine(chain, { before: [feeds], markets }, store, backfill, chain.blockTime, {
    clock,
    doubts,
  });
  open.push(async () => {
    await engine.stop();
    await store.settled();
    pool.close();
  });
  await engine.start(await chain.getBlock('latest'));
  return { engine, backfill, events, store, searched };
}

/** A bot that has searched the history, ended in order, and left its positions in the database. */
async function runBot(): Promise<void> {
  const bot = await startBot();
  await bot.backfill.release();
  expect(bot.engine.incomplete).toEqual([]);
  await bot.engine.stop();
  await bot.store.flush();
}

const stored = async (): Promise<string[]> => {
  const rows = await database.dataSource.query<{ protocol: string; account: string; read: boolean }[]>(
    'SELECT protocol, account, state IS NOT NULL AS read FROM positions ORDER BY 1, 2',
  );
  return rows.map(({ protocol, account, read }) => `${protocol} ${account}${read ? '' : ' unread'}`);
};
/** TestDatabase is connected as a bot is: what was written lately would look like a bot's work. */
const someTimeAgo = (): Promise<unknown> =>
  database.dataSource.query(`UPDATE checkpoints SET updated_at = now() - interval '1 hour'`);
const forget = (): Promise<unknown> => database.dataSource.query('TRUNCATE positions, checkpoints');

/** The file without one account of a market, and with a header and a checksum that fit. */
function leaveOut(market: string): Address {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n').slice(0, -1);
  const [first = '', ...accounts] = lines;
  const header = JSON.parse(first) as { markets: { name: string; accounts: number }[] };
  const index = header.markets.findIndex(({ name }) => name === market);
  header.markets[index]!.accounts -= 1;
  const out = accounts.find((line) => line.startsWith(`[${index},`))!;
  const text = [JSON.stringify(header), ...accounts.filter((line) => line !== out), ''].join('\n');
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(file, gzipSync(`${text}${JSON.stringify({ sha256 })}\n`));
  return (JSON.parse(out) as [number, Address])[1];
}

describe('npx chimera positions export and import', () => {
  it('a bot begins with the accounts of a file, and searches nothing', async () => {
    await runBot();
    const before = await stored();
    const { markets, sha256 } = await exported();
    expect(markets.map(({ name, kind, accounts }) => [name, kind, accounts])).toEqual([
      ['aave', 'aave-v3', AAVE_BORROWERS],
      ['compound', 'compound-v2', 1],
      ['morpho', 'morpho-blue', 2],
    ]);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    await forget();
    // Somebody borrows between the two.
    const late = await borrowOfMorpho();
    await devnet.mine(70);

    expect(await imported()).toMatchObject([
      { market: 'aave', ofFile: AAVE_BORROWERS, later: 0, withDebt: AAVE_BORROWERS, complete: true },
      { market: 'compound', ofFile: 1, later: 0, withDebt: 1, complete: true, written: true },
      { market: 'morpho', ofFile: 2, later: 1, withDebt: 3, complete: true, missing: [] },
    ]);
    expect(await stored()).toEqual([...before, `morpho ${late}`].sort());

    await devnet.mine(2);
    const after = await borrowOfAave();
    const bot = await startBot();
    expect(bot.backfill.isFinished).toBe(true);
    const compared = await bot.engine.compare(viewOf(bot.engine), { calls: 3_000, chunk: 250 });
    expect(compared.flatMap(({ found }) => [...found.divergences, ...found.wrongPrices])).toEqual([]);
    expect(bot.engine.incomplete).toEqual([]);
    expect(bot.engine.positionCount).toBe(before.length + 2);
    expect(compared.flatMap(({ found }) => found.compared)).toContain(after);
    await bot.backfill.release();
    expect(bot.searched).toEqual([]);
  });

  it('two exports of the same positions have the same bytes, also of one market and while a bot runs', async () => {
    await runBot();
    await startBot();
    await exported();
    const first = readFileSync(file);
    file = join(directory, 'again.gz');
    await exported();
    expect(readFileSync(file).equals(first)).toBe(true);
    file = join(directory, 'one.gz');
    expect((await exported('morpho')).markets).toHaveLength(1);
    await expect(exported('other')).rejects.toThrow(
      '--market other: no such market is configured; one of aave, compound, morpho was expected',
    );
  });

  it('a search that has not finished is not exported', async () => {
    const bot = await startBot();
    await bot.store.settled();
    await bot.store.flush();
    await expect(exported()).rejects.toThrow(/aave: the search for borrowers is at block -1 of \d+/);
    expect(existsSync(file)).toBe(false);
  });

  it('a file without one borrower of each market is refused with what is missing, and taken with --incomplete', async () => {
    await runBot();
    const before = await stored();
    await exported();
    await forget();
    const out = MARKETS.map(leaveOut);
    const refusal = MARKETS.map(
      (name) => `${name}: at block \\d+ the debts do not add up: [\\d.]+ of [\\d.]+ .* is missing`,
    );
    const pattern = new RegExp(`^${refusal.join('\\n')}\\nnothing was written`);
    await expect(imported()).rejects.toThrow(pattern);
    await expect(imported({ dryRun: true })).rejects.toThrow(pattern);
    expect(await stored()).toEqual([]);

    const taken = await imported({ incomplete: true });
    expect(taken.map(({ complete, written }) => [complete, written])).toEqual(Array(3).fill([false, true]));
    expect(printed[0]).toMatch(new RegExp(refusal[0]!));
    const bot = await startBot();
    expect(bot.engine.positionCount).toBe(before.length - 3);
    // The comparison after the first pass.
    await bot.engine.compare(viewOf(bot.engine), { calls: 3_000, chunk: 250 });
    expect(bot.engine.incomplete.map(({ market }) => market)).toEqual(MARKETS);
    await bot.backfill.release();
    expect(bot.engine.incomplete).toEqual([]);
    await bot.store.flush();
    expect(await stored()).toEqual(before);
    for (const account of out) expect(before.join()).toContain(account);
  });

  it('a file of a block that was replaced is refused, and so is one of another chain or market', async () => {
    const fork = await devnet.snapshot();
    await borrowOfAave();
    await runBot();
    await exported();
    await forget();
    await devnet.revert(fork);
    await expect(imported()).rejects.toThrow(
      /aave is of block \d+ with the hash 0x[0-9a-f]{64}, which the chain does not have/,
    );
    await devnet.mine(5);
    await expect(imported()).rejects.toThrow(/which the chain does not have/);
    expect(await stored()).toEqual([]);

    const elsewhere = parseConfig(LEAST, VARIABLES);
    await expect(imported({}, elsewhere)).rejects.toThrow(
      `${file}: it is of chain 31337; network.chainId is 8453`,
    );
    await expect(imported({}, configured({ beside: ['compound'] }))).rejects.toThrow(
      `${file}: its market morpho is not configured`,
    );
    const { addressesProvider, pool } = devnet.addresses;
    const other = configured({}, (yaml) => yaml.replace(addressesProvider, pool));
    await expect(imported({}, other)).rejects.toThrow(
      /its market aave is aave-v3 at 0x\w+; that of the configuration is/,
    );
    await devnet.revert(clean);
    clean = await devnet.snapshot();
  });

  it('what is stored already is kept: the accounts of both are read', async () => {
    await runBot();
    await exported();
    const later = await borrowOfAave();
    await runBot();
    const repaid = '0x00000000000000000000000000000000000000aa';
    await database.dataSource.query(
      `INSERT INTO positions (chain_id, protocol, account) VALUES (31337, 'aave', '${repaid}')`,
    );
    const left = leaveOut('aave');
    await someTimeAgo();
    const [aave] = await imported({ market: 'aave' });
    // The account that borrowed later, the one that the file lacks, and one without debt.
    expect(aave).toMatchObject({ ofFile: AAVE_BORROWERS - 1, ofDatabase: 3, withDebt: AAVE_BORROWERS + 1 });
    const rows = await stored();
    expect(rows).toContain(`aave ${later}`);
    expect(rows).toContain(`aave ${left}`);
    expect(rows.join()).not.toContain(repaid);
    expect(rows.filter((row) => row.startsWith('morpho'))).toHaveLength(2);
  });

  it('a dry run proves the file and writes nothing', async () => {
    await runBot();
    await exported();
    await forget();
    expect(await imported({ dryRun: true })).toMatchObject([{}, {}, { complete: true, written: false }]);
    expect(await stored()).toEqual([]);
    printed = [];
    await importPositions({ file, dryRun: true }, terminal, () => Promise.resolve(configured()));
    expect(printed).toEqual([
      expect.stringMatching(
        /^aave: 6 accounts of the file, 0 more of the database, 0 that borrowed later; at block \d+ 6 have debt, and their debts are all debts of the market$/,
      ),
      expect.stringMatching(/^compound: 1 accounts/),
      expect.stringMatching(/^morpho: 2 accounts/),
      'nothing was written (--dry-run)',
    ]);
  });

  it('is refused while a bot of the chain runs: with a lease, or in a dry run', async () => {
    await runBot();
    await exported();
    await expect(imported()).rejects.toThrow(
      'a bot of chain 31337 is running (one is connected, and wrote positions in the last five minutes)',
    );
    await forget();
    const wallet = toAddress('0x00000000000000000000000000000000000000bb');
    await new LeasesRepository(database.database).acquire({ chainId: 31337, wallet }, 'host:1', 60_000);
    await expect(imported()).rejects.toThrow(
      'a bot of chain 31337 is running (host:1 has the lease of the wallet)',
    );
  });
});

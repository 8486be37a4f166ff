import { loadConfig, type ChimeraConfig } from '../config/index.js';
import {
  CheckpointsRepository,
  openAsGuest,
  openDatabase,
  runningBot,
  type Database,
} from '../database/index.js';
import type { Block } from '../domain/block.js';
import { BLOCKS_WITH_STATE } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import { RetryError, StartupError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { isOnChain } from '../state/head-path.js';
import { proveAccounts, type ProvedAccounts } from '../state/snapshot/prove-accounts.js';
import { readSnapshot, type Snapshot } from '../state/snapshot/snapshot-file.js';
import type { Terminal } from './terminal.js';
import { missingSentence } from './missing-debts.js';
import {
  accountsOf,
  configuredChain,
  RemarkedEvents,
  type ConfiguredMarket,
  type Known,
} from './positions-parts.js';

/** A remark about the progress at most this often. Milliseconds. */
const REMARK_MS = 5_000;

type FileMarket = Snapshot['markets'][number];

interface Wanted extends ConfiguredMarket {
  readonly ofFile: FileMarket;
}

interface Proved extends ProvedAccounts {
  readonly wanted: Wanted;
  readonly block: Block;
  /** Of the database before, beside those of the file. */
  readonly others: readonly Address[];
}

export interface ImportOptions {
  file?: string;
  market?: string;
  json?: boolean;
  dryRun?: boolean;
  incomplete?: boolean;
}

/** What an import prints of a market with --json. */
export interface ImportedMarket {
  readonly market: string;
  /** The block and its hash at which the accounts were read and compared. */
  readonly block: number;
  readonly hash: Hash;
  /** Accounts of the file, of the database beside them, and those that took debt after the file's block. */
  readonly ofFile: number;
  readonly ofDatabase: number;
  readonly later: number;
  readonly withDebt: number;
  readonly complete: boolean;
  readonly missing: ProvedAccounts['missing'];
  readonly written: boolean;
}

/**
 * Takes over the accounts of a file. Nothing of it is believed: the positions are read from the chain, and
 * their debts must add up to what all accounts owe together, before anything is written. Then a bot begins
 * there, without a search.
 */
export async function importPositions(
  { file, market, json = false, dryRun = false, incomplete = false }: ImportOptions,
  terminal: Terminal,
  load: () => Promise<ChimeraConfig> = loadConfig,
): Promise<number> {
  if (file === undefined) throw new StartupError(['--file: a file of positions export was expected']);
  const snapshot = await readSnapshot(file);
  const config = await load();
  const { chain, pool, markets } = configuredChain(config, market);
  try {
    const wanted = wantedOf(file, snapshot, config, markets, market);
    const wrong = (await pool.checkEndpoints()).filter(({ wrongChain }) => wrongChain);
    if (wrong.length > 0) throw new StartupError(wrong.map(({ problem }) => problem));
    await onThisChain(file, chain, wanted);
    const job = { chain, wanted, terminal, incomplete };
    const proved = dryRun
      ? await proveAll(job, () => Promise.resolve(NOTHING_KNOWN))
      : await written(job, config);
    report(proved, terminal, { asJson: json, isWritten: !dryRun });
    return 0;
  } finally {
    pool.close();
  }
}

interface Job {
  readonly chain: Chain;
  readonly wanted: readonly Wanted[];
  readonly terminal: Terminal;
  /** Accounts may be missing. */
  readonly incomplete: boolean;
}

const NOTHING_KNOWN: Known = { checkpoint: undefined, history: undefined, positions: [], unread: [] };

/** The markets of the file to take over. @throws StartupError with everything that does not fit. */
function wantedOf(
  file: string,
  { chainId, markets: inFile }: Snapshot,
  { network }: ChimeraConfig,
  configured: readonly ConfiguredMarket[],
  only: string | undefined,
): Wanted[] {
  if (chainId !== network.chainId)
    throw new StartupError([`${file}: it is of chain ${chainId}; network.chainId is ${network.chainId}`]);
  const chosen = inFile.filter(({ name }) => only === undefined || name === only);
  const problems: string[] = [];
  if (chosen.length === 0) problems.push(`${file}: it has no market${only === undefined ? '' : ` ${only}`}`);
  const wanted = chosen.flatMap((ofFile): Wanted[] => {
    const own = configured.find(({ market }) => market.name === ofFile.name);
    if (!own) problems.push(`${file}: its market ${ofFile.name} is not configured`);
    else if (own.kind !== ofFile.kind || own.contract !== ofFile.contract)
      problems.push(
        `${file}: its market ${ofFile.name} is ${ofFile.kind} at ${ofFile.contract}; that of the configuration is ${own.kind} at ${own.contract}`,
      );
    else return [{ ...own, ofFile }];
    return [];
  });
  if (problems.length > 0) throw new StartupError(problems);
  return wanted;
}

/** A file of a branch that was replaced lacks the borrowers of the other branch. @throws StartupError */
async function onThisChain(file: string, chain: Chain, wanted: readonly Wanted[]): Promise<void> {
  const problems: string[] = [];
  for (const { ofFile } of wanted) {
    const { name, block: number, hash } = ofFile;
    if (!(await isOnChain({ number, hash }, chain)))
      problems.push(
        `${file}: ${name} is of block ${number} with the hash ${hash}, which the chain does not have`,
      );
  }
  if (problems.length > 0) throw new StartupError(problems);
}

async function written(job: Job, config: ChimeraConfig): Promise<readonly Proved[]> {
  const { chainId } = config.network;
  const [events, clock] = [new RemarkedEvents(job.terminal), new Clock()];
  // An embedded server that a bot uses would only say that it is in use.
  const guest = await openAsGuest(config);
  if (guest) await noBot(guest.database, chainId).finally(guest.close);
  const opened = await openDatabase(config, events, clock);
  try {
    const { database } = opened;
    await noBot(database, chainId);
    const checkpoints = new CheckpointsRepository(database, chainId);
    const proved = await proveAll(job, (name) => checkpoints.load(name));
    // The proof took a while.
    await noBot(database, chainId);
    for (const { block } of proved)
      if (!(await isOnChain(block, job.chain)))
        throw new RetryError(`block ${block.number} was replaced meanwhile; nothing was written`);
    for (const { wanted, block, changes, unasked, missing } of proved) {
      const gone = missing.length === 0 ? [...changes.gone, ...unasked] : changes.gone;
      await checkpoints.saveWhole(wanted.market.name, block, changes.changed, gone);
    }
    return proved;
  } finally {
    await opened.close();
  }
}

/** @throws StartupError while a bot of this chain works: it would write over what is imported. */
async function noBot(database: Database, chainId: number): Promise<void> {
  const reason = await runningBot(database, chainId);
  if (reason !== undefined)
    throw new StartupError([
      `a bot of chain ${chainId} is running (${reason}), and would write over the import; one that is stopped was expected`,
    ]);
}

/**
 * Proves every market before anything is written.
 *
 * @throws StartupError when debts are missing, unless that is allowed.
 */
async function proveAll(job: Job, load: (market: string) => Promise<Known>): Promise<readonly Proved[]> {
  const { wanted, terminal, incomplete } = job;
  const all: Proved[] = [];
  for (const one of wanted) all.push(await prove(job, one, await load(one.market.name)));
  const problems = all.flatMap(({ wanted: { market }, block, missing }) =>
    missing.length === 0 ? [] : [missingSentence(market.name, block.number, missing)],
  );
  if (problems.length > 0 && !incomplete)
    throw new StartupError([
      ...problems,
      'nothing was written; --incomplete takes the accounts that there are',
    ]);
  for (const problem of problems) terminal.remark(problem);
  return all;
}

async function prove({ chain, terminal }: Job, wanted: Wanted, known: Known): Promise<Proved> {
  const { market, ofFile } = wanted;
  const stored = accountsOf(market, known);
  const accounts = new Map(stored);
  for (const [account, places] of ofFile.found)
    accounts.set(account, [...new Set([...(stored.get(account) ?? []), ...places])]);
  const others = [...stored.keys()].filter((account) => !ofFile.found.has(account));
  const least = Math.max(ofFile.block, known.checkpoint?.number ?? 0);
  const progress = sparsely((left: { readonly blocks: number; readonly accounts: number }) =>
    terminal.remark(`${market.name}: ${left.blocks} blocks to search, ${left.accounts} accounts to read`),
  );
  const head = await chain.getBlock('latest');
  if (least > head.number)
    throw new StartupError([
      `${market.name}: the chain is at block ${head.number}, behind block ${least} of the stored positions`,
    ]);
  const early = Math.max(least, head.number - BLOCKS_WITH_STATE);
  const at = (block: Block): Promise<ProvedAccounts> =>
    proveAccounts(market, chain, block, { accounts, upTo: ofFile.block }, progress);
  if (early < head.number) {
    try {
      // A bot that begins there can take blocks back.
      const block = await chain.getBlock(early);
      return { ...(await at(block)), wanted, block, others };
    } catch (error) {
      // The node does not keep old states.
      if (!(error instanceof RetryError)) throw error;
    }
  }
  return { ...(await at(head)), wanted, block: head, others };
}

/** Calls through at most once in {@link REMARK_MS}. */
function sparsely<Value>(tell: (value: Value) => void): (value: Value) => void {
  const clock = new Clock();
  let lastMs = clock.monotonicMs();
  return (value) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs < REMARK_MS) return;
    lastMs = nowMs;
    tell(value);
  };
}

function report(
  proved: readonly Proved[],
  terminal: Terminal,
  { asJson, isWritten }: { readonly asJson: boolean; readonly isWritten: boolean },
): void {
  const all = proved.map(
    ({ wanted: { ofFile, market }, block, others, later, changes, missing }): ImportedMarket => ({
      ...{ market: market.name, block: block.number, hash: block.hash },
      ...{ ofFile: ofFile.accounts, ofDatabase: others.length, later, withDebt: changes.changed.length },
      ...{ complete: missing.length === 0, missing, written: isWritten },
    }),
  );
  if (asJson) {
    terminal.print(JSON.stringify(all, null, 2));
    return;
  }
  for (const one of all) {
    const sums = one.complete ? 'their debts are all debts of the market' : 'debts are missing';
    terminal.print(
      `${one.market}: ${one.ofFile} accounts of the file, ${one.ofDatabase} more of the database, ${one.later} that borrowed later; at block ${one.block} ${one.withDebt} have debt, and ${sums}`,
    );
  }
  terminal.print(
    isWritten ? 'the bot begins with them at its next start' : 'nothing was written (--dry-run)',
  );
}

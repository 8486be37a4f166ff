import { loadConfig, type ChimeraConfig } from '../config/index.js';
import { CheckpointsRepository, openToRead } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { StartupError } from '../domain/errors.js';
import { writeSnapshot, type Accounts, type SnapshotMarket } from '../state/snapshot/snapshot-file.js';
import type { Terminal } from './terminal.js';
import {
  accountsOf,
  configuredChain,
  RemarkedEvents,
  type ConfiguredMarket,
  type Known,
} from './positions-parts.js';

export interface ExportOptions {
  file?: string;
  market?: string;
  json?: boolean;
}

/** What an export prints with --json. */
export interface ExportedPositions {
  readonly file: string;
  readonly chainId: number;
  readonly sha256: string;
  readonly markets: readonly SnapshotMarket[];
}

/** Writes the accounts of each market at its checkpoint to a file. A bot may run. It asks no node. */
export async function exportPositions(
  { file, market, json = false }: ExportOptions,
  terminal: Terminal,
  load: () => Promise<ChimeraConfig> = loadConfig,
): Promise<number> {
  if (file === undefined) throw new StartupError(['--file: the name of a new file was expected']);
  const config = await load();
  const { chainId } = config.network;
  const { markets, pool } = configuredChain(config, market);
  pool.close();
  const { database, close } = await openToRead(config, new RemarkedEvents(terminal), new Clock());
  let known: Known[];
  try {
    const checkpoints = new CheckpointsRepository(database, chainId);
    known = await Promise.all(markets.map((one) => checkpoints.load(one.market.name)));
  } finally {
    await close();
  }
  const found = markets.map((one, index) => exported(one, known[index]));
  const problems = found.filter((one) => typeof one === 'string');
  if (problems.length > 0) throw new StartupError(problems);
  const whole = found.filter((one) => typeof one !== 'string');
  const sha256 = await writeSnapshot(file, chainId, whole);
  const listed = whole.map(({ found: accounts, ...one }) => ({ ...one, accounts: accounts.size }));
  if (json) {
    const answer: ExportedPositions = { file, chainId, sha256, markets: listed };
    terminal.print(JSON.stringify(answer, null, 2));
    return 0;
  }
  for (const { name, kind, accounts, block, hash } of listed)
    terminal.print(`${name} (${kind}): ${accounts} accounts with debt at block ${block}, ${hash}`);
  terminal.print(`${file}: sha256 ${sha256}`);
  return 0;
}

/** A market as the file has it, or why it cannot be exported. */
function exported(
  { market, kind, contract }: ConfiguredMarket,
  known: Known | undefined,
): string | (Omit<SnapshotMarket, 'accounts'> & { readonly found: Accounts }) {
  const { name } = market;
  if (!known?.checkpoint || !known.history)
    return `${name}: the database has no positions of it yet; a bot that knows every borrower was expected`;
  const { checkpoint, history } = known;
  if (history.scannedTo < history.goal)
    return `${name}: the search for borrowers is at block ${history.scannedTo} of ${history.goal}; a search that has finished was expected`;
  if (known.unread.length > 0)
    return `${name}: the positions of ${known.unread.length} accounts are not stored yet; a bot stores them within ten blocks`;
  return {
    ...{ name, kind, contract, block: checkpoint.number, hash: checkpoint.hash },
    found: accountsOf(market, known),
  };
}

/** What the soak found: each invariant with all that breaks it, and the numbers of the run. */
import type { Stack } from '../../devnet/stack/stack.js';
import { messageOf } from '../../src/domain/errors.js';
import { closedBooks } from '../e2e/hostile/honest-books.js';
import {
  contractHoldsNothing,
  durableBeforeBroadcast,
  haltsEndAsTheyMay,
  haltsOf,
  nothingSignedWhileHalted,
  oneBlockPerDecision,
  signedAsSimulated,
  oneIntentPerNonce,
  withinCaps,
  type DailyCaps,
} from '../e2e/invariants.js';
import type { Witness } from '../e2e/witness.js';
import type { Fleet } from './fleet.js';
import { explanationOf, type PlayedFault } from './halt-rules.js';
import type { Market } from './market.js';
import { memoryOf, type MemoryReport } from './memory.js';

/** Of the memory after the warm-up, hundredths of a percent. */
const MOST_GROWTH_BPS = 500;
/** Of the turns of the market, so many may fail: a reorg takes a transaction back, for example. */
const MOST_FAILED_TURNS = 0.2;

export interface Invariant {
  readonly name: string;
  /** None when it holds. */
  readonly broken: readonly string[];
}

export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  readonly holds: boolean;
  readonly invariants: readonly Invariant[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly halts: readonly { readonly reason: string; readonly actor: string; readonly explained: string }[];
  readonly resumes: number;
  readonly processes: Fleet['did'];
  readonly market: Market['did'];
  readonly broadcasts: number;
  /** Undefined when no process ran long enough. */
  readonly memory: MemoryReport | undefined;
}

export interface SoakFindings {
  readonly stack: Stack;
  readonly fleet: Fleet;
  readonly market: Market;
  readonly witness: Witness;
  readonly caps: DailyCaps;
  readonly faults: readonly PlayedFault[];
  /** Found while it ran. */
  readonly problems: readonly string[];
  readonly resumes: number;
  readonly minutes: number;
  readonly seed: number;
}

export async function verdictOf(found: SoakFindings): Promise<SoakReport> {
  const { stack, fleet, market, witness, caps, faults, resumes, minutes, seed } = found;
  const halts = (await haltsOf(stack)).map((halt) => {
    const { rule, fault } = explanationOf(halt, faults) ?? {};
    const explained =
      halt.actor === 'chimera' ? (rule && fault ? `${rule}, by ${fault.name}` : '') : 'an operator';
    return { reason: halt.reason, actor: halt.actor, explained };
  });
  const memory = memoryOf(fleet.memory);
  const invariants = await Promise.all([
    held('one intent for each (chain, sender, nonce)', oneIntentPerNonce(stack)),
    held('no broadcast without a durable row', durableBeforeBroadcast(stack, witness)),
    held('no new signature while HALTED', nothingSignedWhileHalted(stack, witness)),
    held('volume, fees and losses below their caps', withinCaps(stack, caps)),
    held('HALTED ends only as it may', haltsEndAsTheyMay(stack)),
    held('no decision mixes blocks', oneBlockPerDecision(stack, witness)),
    held('what is signed was simulated', signedAsSimulated(witness)),
    held('the contract holds nothing', contractHoldsNothing(stack, 'latest')),
    held('every execution equals the chain', closedBooks(stack)),
    held('no halt that its rule does not name', unexplained(halts)),
    held('no process ends by itself, nothing unhandled', fleet.problems),
    held('memory grows by less than 5 %', grown(memory)),
    held('the market lived', lived(market)),
    held('what was seen on the way', found.problems),
  ]);
  return {
    ...{ seed, minutes, invariants, halts, resumes, memory },
    holds: invariants.every(({ broken }) => broken.length === 0),
    outcomes: await outcomesOf(stack),
    faults: counted(faults.map(({ name }) => name)),
    processes: fleet.did,
    market: market.did,
    broadcasts: witness.broadcasts.size,
  };
}

export function printReport(report: SoakReport, print: (line: string) => void): void {
  const { seed, minutes, holds, invariants, outcomes, faults, halts, resumes, processes, market, memory } =
    report;
  print('');
  print(
    `The soak of ${minutes} minutes with the seed ${seed}: ${holds ? 'everything held' : 'NOT EVERYTHING HELD'}`,
  );
  for (const { name, broken } of invariants) {
    print(`  ${broken.length === 0 ? '✓' : '✗'} ${name}`);
    for (const sentence of broken.slice(0, 10)) print(`      ${sentence}`);
    if (broken.length > 10) print(`      … and ${broken.length - 10} more`);
  }
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, many]) => `${name} ${many}`)
      .join(', ');
  print(`  outcomes    ${list(outcomes)}; ${report.broadcasts} transactions handed over`);
  print(
    `  market      ${market.moves} moves, ${market.opened} positions opened, ${market.rivals} rivals, ${market.failures} failed turns`,
  );
  print(`  faults      ${list(faults)}`);
  print(`  processes   ${processes.started} started, ${processes.startsRefused} starts refused by a fault`);
  print(`  halts       ${halts.length}, ${resumes} resumes`);
  for (const { reason, explained } of halts)
    print(`      ${explained === '' ? 'UNEXPLAINED' : explained}: ${reason}`);
  print(`  memory      ${memory ? memoryLine(memory) : 'no process ran long enough to judge its memory'}`);
}

function memoryLine({ warmBytes, lastBytes, growthBps, seconds }: MemoryReport): string {
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  return `${megabytes(warmBytes)} after the warm-up, ${megabytes(lastBytes)} at the end of ${seconds} s: ${(growthBps / 100).toFixed(2)} %`;
}

async function held(
  name: string,
  broken: readonly string[] | Promise<readonly string[]>,
): Promise<Invariant> {
  try {
    return { name, broken: await broken };
  } catch (error) {
    return { name, broken: [`it could not be looked at: ${messageOf(error)}`] };
  }
}

function unexplained(halts: SoakReport['halts']): string[] {
  return halts.filter(({ explained }) => explained === '').map(({ reason }) => reason);
}

function grown(memory: MemoryReport | undefined): string[] {
  return memory && memory.growthBps > MOST_GROWTH_BPS ? [memoryLine(memory)] : [];
}

function lived({ did, lastFailure }: Market): string[] {
  return did.failures > MOST_FAILED_TURNS * (did.moves + did.failures) + 2
    ? [`${did.failures} turns of ${did.moves} failed, the last: ${lastFailure}`]
    : [];
}

async function outcomesOf(stack: Stack): Promise<Record<string, number>> {
  const rows = await stack.query<{ outcome: string; many: string }>(
    "SELECT coalesce(outcome, status) AS outcome, count(*)::text AS many FROM executions WHERE status <> 'rejected' GROUP BY 1 ORDER BY 1",
  );
  return Object.fromEntries(rows.map(({ outcome, many }) => [outcome, Number(many)]));
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

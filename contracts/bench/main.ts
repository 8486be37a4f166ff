/**
 * `npm run bench:gas`: what a liquidation costs, by every path, as real transactions on the real contracts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { PROJECT_ROOT } from '../../devnet/artifacts/compile.js';
import { messageOf } from '../../src/domain/errors.js';
import { GasMarket } from './market.js';
import type { Cost } from './meter.js';
import { gasPaths } from './paths.js';
import {
  markdownTable,
  measurements,
  missedTargets,
  regressions,
  snapshotOf,
  table,
  type Measurement,
  type Snapshot,
} from './report.js';

const SNAPSHOT = join(PROJECT_ROOT, 'contracts', 'gas-snapshot.json');

const DOCUMENT = join(PROJECT_ROOT, 'docs', 'contract.md');

const HELP = `npm run bench:gas -- [options]

  Gas, calldata and L1 fee of a liquidation by every path, each a transaction of its own on the local chain.

  --json      print one JSON array
  --check     fail when a target is missed, or a path needs over 2 % more gas than contracts/gas-snapshot.json says
  --update    write contracts/gas-snapshot.json and the table of docs/contract.md
  --help      this text`;

/** Writes the snapshot, and the table of the documentation between its markers. */
async function record(measured: readonly Measurement[]): Promise<void> {
  writeFileSync(SNAPSHOT, `${JSON.stringify(snapshotOf(measured), null, 2)}\n`);
  const text = readFileSync(DOCUMENT, 'utf8').replace(
    /(<!-- gas-table -->)[^]*(<!-- \/gas-table -->)/,
    (_, start: string, end: string) => `${start}\n\n${markdownTable(measured)}\n\n${end}`,
  );
  const style = await resolveConfig(DOCUMENT);
  writeFileSync(DOCUMENT, await format(text, { ...style, parser: 'markdown' }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const market = await GasMarket.start((step) => process.stderr.write(`  … ${step}\n`));
  try {
    const paths = gasPaths(market);
    const costs = new Map<string, Cost[]>();
    for (const { name, requests, first } of paths) {
      try {
        costs.set(name, await market.meter.measure(requests, first));
      } catch (error) {
        throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
      }
    }
    const measured = measurements(paths, costs);
    console.log(values.json ? JSON.stringify(measured) : table(measured));
    if (values.update) await record(measured);
    const snapshot = values.check ? (JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Snapshot) : undefined;
    const problems = [...missedTargets(measured), ...(snapshot ? regressions(measured, snapshot) : [])];
    for (const problem of problems) console.error(`bench:gas: ${problem}`);
    if (values.check && problems.length > 0) process.exitCode = 1;
  } finally {
    await market.devnet.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench:gas: ${messageOf(error)}`);
  process.exitCode = 1;
}

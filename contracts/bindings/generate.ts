/**
 * Writes src/contract/bindings.ts and src/contract/creation-code.ts from the contract.
 *
 *   npm run generate              writes them
 *   npm run generate -- --check   fails when a file differs from the contract
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonFragment } from 'ethers';
import { format, resolveConfig } from 'prettier';
import { compileChimera } from '../../devnet/artifacts/artifacts.js';
import { PROJECT_ROOT } from '../../devnet/artifacts/compile.js';
import { typescriptBindings } from './typescript.js';

const source = (file: string): string => readFileSync(join(PROJECT_ROOT, 'contracts', 'src', file), 'utf8');

/** The numbers of an enum's members. */
function enumIn(file: string, name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source(file))?.[1];
  if (body === undefined) throw new Error(`contracts/src/${file} has no enum ${name}`);
  return Object.fromEntries(body.split(',').map((member, index) => [member.trim(), index]));
}

/** The opcodes and flags of a plan: every constant with a small number for a value. */
function planNumbers(): Record<string, number> {
  const files = ['Chimera.sol', 'Program.sol', 'Swaps.sol', 'Funding.sol', 'Liquidations.sol'];
  const constants = files.flatMap((file) => [
    ...source(file).matchAll(/uint256 (?:internal|private) constant (\w+) = (\d{1,2});/g),
  ]);
  return Object.fromEntries(constants.map(([, name = '', value]) => [name, Number(value)]));
}

const { abi, bytecode } = await compileChimera();
const TEXTS = {
  'src/contract/bindings.ts': typescriptBindings({
    abi: abi as readonly JsonFragment[],
    events: ['Liquidated', 'LiquidationFailed', 'BidPaid'],
    numbers: { Kind: enumIn('Roles.sol', 'Kind'), PLAN: planNumbers() },
  }),
  'src/contract/creation-code.ts': `/* eslint max-len: off */
/** Written by \`npm run generate\` from contracts/src. Do not edit: change the contract instead. */
import type { Hex } from '../domain/hex.js';

/** What a transaction that creates the contract carries, before the arguments of the constructor. */
export const CREATION_CODE: Hex = '${bytecode}';`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  const file = join(PROJECT_ROOT, ...name.split('/'));
  const formatted = await format(text, { ...(await resolveConfig(file)), parser: 'typescript' });
  if (!process.argv.includes('--check')) writeFileSync(file, formatted);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== formatted) {
    console.error(`${name} is not what contracts/src says; run \`npm run generate\` and commit it.`);
    process.exitCode = 1;
  }
}

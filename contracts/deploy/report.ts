/** Prints the result of a deployment, as text and as JSON. */
import { getAddress } from 'ethers';
import type { Address } from '../../src/domain/hex.js';
import { formatUnits } from '../../src/domain/money.js';
import type { Costs } from './costs.js';
import type { Deployment, Step } from './deploy.js';
import { safeBatch } from './safe-batch.js';

/** What to put into the section `execution` of the configuration. */
const yamlOf = (address: Address): string => `chimera: "${getAddress(address)}"`;

/** Transactions that only the owner can send. */
const ownersOf = ({ steps }: Deployment): readonly Step[] => steps.filter(({ byDeployer }) => !byDeployer);

/** The lines for people; the last two are the address and the YAML. */
export function textReport(deployment: Deployment): string[] {
  const { network, send, blockNumber, right, steps, costs, neededWei, notes } = deployment;
  const { address } = deployment.survey;
  return [
    `Chimera on ${network.name}, chain ${network.chainId}, as of block ${blockNumber}${send ? '' : ' (dry run: nothing is sent)'}`,
    '',
    ...table(factsOf(deployment)),
    ...section(
      'as it should be',
      right.map((line) => `  ${line}`),
    ),
    ...section(steps.some(({ sent }) => sent) ? 'transactions' : 'what is missing', steps.flatMap(stepLines)),
    ...(steps.length > 0 ? ['', costLine(costs)] : []),
    ...(neededWei > 0n ? [`the deployer has to hold at least ${ether(neededWei)} ETH`] : []),
    ...section('for the owner', ownerLines(deployment)),
    ...section(
      'notes',
      notes.map((note) => `  - ${note}`),
    ),
    '',
    conclusion(deployment),
    '',
    getAddress(address),
    `${yamlOf(address)}   # in the section execution; or CHIMERA_ADDRESS=${getAddress(address)} in .env`,
  ];
}

function factsOf({ survey, deployer }: Deployment): (readonly [string, string])[] {
  const { address, deployed, roles, constructorArguments } = survey;
  return [
    [
      'contract',
      `${getAddress(address)}  ${deployed ? 'deployed; its code is that of contracts/src' : 'not deployed yet'}`,
    ],
    ['owner', getAddress(roles.owner)],
    ['treasury', getAddress(roles.treasury)],
    ['factory', `${getAddress(constructorArguments.factory)}  Uniswap v3, in the code`],
    ['weth', `${getAddress(constructorArguments.weth)}  wrapped native coin, in the code`],
    ...(deployer
      ? [
          [
            'deployer',
            `${getAddress(deployer.address)}  holds ${formatUnits(deployer.balanceWei, 18)} ETH`,
          ] as const,
        ]
      : []),
  ];
}

function stepLines({ call, meaning, gas, sent, byDeployer }: Step, index: number): string[] {
  const lines = [`${index + 1}. ${call}${byDeployer ? '' : ', by the owner'}`, `   ${meaning}`];
  lines.push(sent ? `   sent ${sent.hash}, paid ${ether(sent.paidWei)} ETH` : `   about ${groups(gas)} gas`);
  return lines.map((line) => `  ${line}`);
}

function costLine({ totalGas, totalWei, l1FeeWei, baseFeeWei, priorityFeeWei }: Costs): string {
  return `estimate: ${ether(totalWei)} ETH for ${groups(totalGas)} gas at ${formatUnits(baseFeeWei, 9)} gwei base fee and ${formatUnits(priorityFeeWei, 9)} gwei tip, ${ether(l1FeeWei)} ETH of it for data on L1`;
}

function ownerLines(deployment: Deployment): string[] {
  const calls = ownersOf(deployment);
  if (calls.length === 0) return [];
  return [
    `  ${getAddress(deployment.survey.roles.owner)} has to make these calls, value 0${deployment.survey.deployed ? '' : ', once the contract is there'}:`,
    ...calls.flatMap(({ to, data, call, meaning }) => [
      '',
      `  ${call}: ${meaning}`,
      `    to    ${getAddress(to)}`,
      `    data  ${data}`,
    ]),
    '',
    "  --json holds them as safeBatch, a file for Safe's Transaction Builder.",
  ];
}

function conclusion(deployment: Deployment): string {
  const { send, steps } = deployment;
  if (steps.length === 0) return 'Nothing to do.';
  if (!send) return 'Nothing was sent. Add --send to do it.';
  const left = ownersOf(deployment).length;
  if (left > 0) return `Done, but for ${left} ${left === 1 ? 'call' : 'calls'} of the owner.`;
  return 'Done.';
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

function table(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([name, value]) => `  ${name.padEnd(10)}${value}`);
}

const groups = (value: bigint): string => value.toLocaleString('en');

/** Wei as ether with eight decimals, rounded up: an estimate. */
function ether(wei: bigint): string {
  const unit = 10n ** 10n;
  return formatUnits(((wei + unit - 1n) / unit) * unit, 18);
}

export type Status = 'nothing-to-do' | 'dry-run' | 'done' | 'owner-has-to-act';

function statusOf(deployment: Deployment): Status {
  if (deployment.steps.length === 0) return 'nothing-to-do';
  if (!deployment.send) return 'dry-run';
  return ownersOf(deployment).length > 0 ? 'owner-has-to-act' : 'done';
}

/** The object of --json; amounts are decimal text in wei or gas. */
export function jsonReport(deployment: Deployment, nowMs: number): object {
  const { network, blockNumber, survey, deployer, right, steps, costs, neededWei, notes } = deployment;
  const { address, deployed, roles, constructorArguments } = survey;
  const left = ownersOf(deployment);
  return {
    status: statusOf(deployment),
    network,
    blockNumber,
    address: getAddress(address),
    yaml: yamlOf(address),
    deployed,
    owner: getAddress(roles.owner),
    pendingOwner: roles.pendingOwner ? getAddress(roles.pendingOwner) : null,
    treasury: getAddress(roles.treasury),
    factory: getAddress(constructorArguments.factory),
    weth: getAddress(constructorArguments.weth),
    paused: roles.paused,
    deployer: deployer ? getAddress(deployer.address) : null,
    right,
    transactions: steps.map(({ call, meaning, to, data, gas, byDeployer, sent }) => ({
      call,
      meaning,
      by: byDeployer ? 'deployer' : 'owner',
      to: getAddress(to),
      data,
      gas: String(gas),
      hash: sent?.hash ?? null,
      paidWei: sent ? String(sent.paidWei) : null,
    })),
    costs: {
      gas: String(costs.totalGas),
      baseFeeWei: String(costs.baseFeeWei),
      priorityFeeWei: String(costs.priorityFeeWei),
      l1FeeWei: String(costs.l1FeeWei),
      totalWei: String(costs.totalWei),
      deployerHasToHoldWei: String(neededWei),
    },
    safeBatch: left.length > 0 ? safeBatch(network.chainId, roles.owner, left, nowMs) : null,
    notes,
    problems: [],
  };
}

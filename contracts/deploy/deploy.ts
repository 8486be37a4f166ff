/**
 * One deployment: looks at the chain, says what is missing, and with --send does it. It must never send a
 * transaction that was not simulated, change a contract whose code is not ours, or show an endpoint or a key.
 */
import { computeAddress, getAddress } from 'ethers';
import { compileChimera } from '../../devnet/artifacts/artifacts.js';
import type { Artifact } from '../../devnet/artifacts/compile.js';
import type { DeploymentConfig } from '../../src/config/index.js';
import type { Block } from '../../src/domain/block.js';
import { StartupError } from '../../src/domain/errors.js';
import { toAddress, type Address, type Hash } from '../../src/domain/hex.js';
import { formatUnits } from '../../src/domain/money.js';
import type { Secret } from '../../src/domain/secret.js';
import type { Signer } from '../../src/execution/signer.js';
import type { Receipt } from '../../src/rpc/chain/chain-answers.js';
import { readAt } from '../../src/rpc/chain/read.js';
import { gasLimitOf, maxFeeOf, rehearse, type Costs, type Draft } from './costs.js';
import { Node } from './node.js';
import type { DeployOptions } from './options.js';
import { compareRoles, rolesRead, type RoleCall } from './roles.js';
import { Sender, deployerSigner } from './sender.js';
import { survey, verifyCode, type Survey } from './survey.js';

/** One missing transaction, and its receipt once it was sent. */
export interface Step extends RoleCall {
  readonly from: Address;
  /** True: the deployer sends it. False: the owner has to. */
  readonly byDeployer: boolean;
  /** As simulated. */
  readonly gas: bigint;
  /** The transaction that was sent. */
  readonly sent?: {
    readonly hash: Hash;
    /** The whole fee in wei, as far as the receipt tells it: some nodes leave the fee for data out. */
    readonly paidWei: bigint;
  };
}

export interface Deployment {
  readonly network: { readonly name: string; readonly chainId: number };
  /** False: a dry run. */
  readonly send: boolean;
  /** The block at which all of this was read. */
  readonly blockNumber: number;
  readonly survey: Survey;
  /** Known when there is a key, in a dry run too. */
  readonly deployer: { readonly address: Address; readonly balanceWei: bigint } | undefined;
  /** What is already as it is wanted. */
  readonly right: readonly string[];
  readonly steps: readonly Step[];
  readonly costs: Costs;
  /**
   * Wei that the deployer has to hold for its own transactions, at the highest price and with the widest gas
   * limit.
   */
  readonly neededWei: bigint;
  readonly notes: readonly string[];
}

/** @throws StartupError with one sentence for everything that is missing or wrong. */
export async function deploy(
  config: DeploymentConfig,
  options: DeployOptions,
  onProgress: (step: string) => void,
): Promise<Deployment> {
  const { network, environment } = config;
  const key = environment.deployerPrivateKey;
  const signer = key && deployerSigner(key, network.chainId);
  const operator = addressOf(environment.operatorPrivateKey);
  const executors = options.executors.length > 0 || !operator ? options.executors : [operator];
  const node = await Node.connect(network, config.rpc);
  try {
    const artifact = await compileChimera(onProgress);
    const [found, planned, deployer] = await node.patiently(async () => {
      const seen = await survey(node, artifact, config, options, executors);
      return [
        seen,
        await plan(node, seen, signer?.address),
        await walletOf(node, signer, seen.block),
      ] as const;
    });
    const deployment: Deployment = {
      network: { name: network.name, chainId: network.chainId },
      send: options.send,
      blockNumber: found.block.number,
      survey: found,
      deployer,
      ...planned,
      neededWei: neededBy(planned),
      notes: [
        ...notesOn(found, operator, signer?.address),
        ...(!options.send && deployer ? shortage(deployer, planned) : []),
      ],
    };
    if (!options.send || !signer || !deployer || planned.steps.length === 0) return deployment;
    const short = shortage(deployer, planned);
    if (short.length > 0) throw new StartupError(short);
    return await execute(node, artifact, deployment, new Sender(node, signer, onProgress), signer);
  } finally {
    node.close();
  }
}

type Plan = Pick<Deployment, 'right' | 'steps' | 'costs'>;

async function plan(node: Node, found: Survey, deployer: Address | undefined): Promise<Plan> {
  const { address, roles, wanted, creation, block } = found;
  const { missing, right } = compareRoles(address, roles, wanted);
  const creating: RoleCall = {
    ...creation.call,
    call: 'deploy',
    meaning: `puts contracts/src/Chimera.sol at ${getAddress(address)} (CREATE2)`,
  };
  const steps = [
    ...(found.deployed ? [] : [{ ...creating, byDeployer: true, from: deployer ?? roles.owner }]),
    ...missing.map((call) => ({ ...call, byDeployer: roles.owner === deployer, from: roles.owner })),
  ];
  const costs = await rehearse(node, steps.map(draftOf), block);
  return { right, costs, steps: steps.map((step, index) => ({ ...step, gas: costs.gas[index] ?? 0n })) };
}

const draftOf = ({ from, to, data, call }: Omit<Step, 'gas'>): Draft => ({ from, to, data, what: call });

async function execute(
  node: Node,
  artifact: Artifact,
  deployment: Deployment,
  sender: Sender,
  signer: Signer,
): Promise<Deployment> {
  const { address, wanted } = deployment.survey;
  let block: BlockId = deployment.survey.block;
  const steps: Step[] = [];
  for (const step of deployment.steps) {
    if (!step.byDeployer) {
      steps.push(step);
      continue;
    }
    const receipt = await sender.send(draftOf(step), step.gas, block.hash);
    block = { number: receipt.blockNumber, hash: receipt.blockHash };
    // Another account may have deployed the same code to this address first: what counts is the code that is
    // there now.
    if (step.to !== address) await verifyDeployed(node, artifact, deployment.survey, receipt);
    else if (receipt.status === 'reverted')
      throw new StartupError([`${step.call}: the transaction ${receipt.transactionHash} reverted`]);
    const paidWei = receipt.gasUsed * receipt.effectiveGasPrice + (receipt.l1Fee ?? 0n);
    steps.push({ ...step, sent: { hash: receipt.transactionHash, paidWei } });
  }
  const [roles, deployer] = await node.patiently(() =>
    Promise.all([readAt(node.chain, rolesRead(address, wanted), block.hash), walletOf(node, signer, block)]),
  );
  const { missing, right } = compareRoles(address, roles, wanted);
  if (missing.length > steps.filter(({ byDeployer }) => !byDeployer).length)
    throw new StartupError([
      `execution.chimera: the contract ${address} still lacks ${missing.map(({ call }) => call).join(', ')} after the calls were made; another account may be changing its roles`,
    ]);
  const seen = { ...deployment.survey, deployed: true, roles };
  return { ...deployment, blockNumber: block.number, survey: seen, deployer, right, steps };
}

type BlockId = Pick<Block, 'number' | 'hash'>;

async function verifyDeployed(
  node: Node,
  artifact: Artifact,
  { address, runtimeCode, constructorArguments }: Survey,
  { blockHash: hash, transactionHash }: Receipt,
): Promise<void> {
  await node.patiently(async () => {
    const code = await node.chain.getCode(address, hash);
    if (code === '0x')
      throw new StartupError([`deploy: the transaction ${transactionHash} left no contract at ${address}`]);
    await verifyCode(node, artifact, { address, code, runtimeCode, constructorArguments, block: { hash } });
  });
}

async function walletOf(
  node: Node,
  signer: Signer | undefined,
  { hash }: Pick<Block, 'hash'>,
): Promise<Deployment['deployer']> {
  return signer && { address: signer.address, balanceWei: await node.chain.getBalance(signer.address, hash) };
}

/** The balance that a node demands of the sender. */
function neededBy({ steps, costs }: Plan): bigint {
  const gas = steps
    .filter(({ byDeployer }) => byDeployer)
    .reduce((sum, step) => sum + gasLimitOf(step.gas), 0n);
  return gas === 0n ? 0n : gas * maxFeeOf(costs.baseFeeWei, costs.priorityFeeWei) + costs.l1FeeWei;
}

function shortage(deployer: NonNullable<Deployment['deployer']>, plan: Plan): string[] {
  const needed = neededBy(plan);
  if (deployer.balanceWei >= needed) return [];
  return [
    `the deployer wallet ${deployer.address} holds ${formatUnits(deployer.balanceWei, 18)} ETH; at least ${formatUnits(needed, 18)} ETH was expected`,
  ];
}

function notesOn(
  { roles, wanted, address }: Survey,
  operator: Address | undefined,
  deployer: Address | undefined,
): string[] {
  const notes: string[] = [];
  if (wanted.executors.length === 0)
    notes.push(
      'no executor is named and OPERATOR_PRIVATE_KEY is not set: no liquidation is possible until an executor is set',
    );
  else if (operator && !wanted.executors.includes(operator))
    notes.push(
      `the bot's wallet (OPERATOR_PRIVATE_KEY) is ${operator}, which is not among the executors named`,
    );
  if (roles.owner === deployer)
    notes.push(
      'the owner is the deployer, a single key in the environment of this machine: a Safe is recommended as the owner',
    );
  if (wanted.executors.some((one) => one === roles.owner || one === roles.pendingOwner))
    notes.push('the owner is an executor as well: a stolen bot key would own the contract');
  if (roles.pendingOwner)
    notes.push(
      `the ownership is offered to ${roles.pendingOwner}, which has not called acceptOwnership; until then ${roles.owner} is the owner`,
    );
  if (roles.paused) notes.push(`the contract ${address} is paused: its owner has to call unpause`);
  return notes;
}

function addressOf(key: Secret | undefined): Address | undefined {
  return key && toAddress(computeAddress(key.reveal()));
}

/** Reads what the deployment needs from the chain: what is there, and what is missing. Changes nothing. */
import type { Artifact } from '../../devnet/artifacts/compile.js';
import type { DeploymentConfig } from '../../src/config/index.js';
import type { Block } from '../../src/domain/block.js';
import { StartupError } from '../../src/domain/errors.js';
import { addressAt, type Address, type Hash, type Hex } from '../../src/domain/hex.js';
import { SELECTORS as AAVE, addressRead } from '../../src/protocols/aave-v3/reads.js';
import { SELECTORS } from '../../src/contract/bindings.js';
import { MULTICALL3 } from '../../src/rpc/chain/multicall3.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import { CallReverted } from '../../src/rpc/rpc-errors.js';
import { mergeCounterparties, sourcesOf, type Counterparty, type Source } from './counterparties.js';
import {
  codeDifference,
  creationOf,
  CREATE2_PROXY,
  type ConstructorArguments,
  type Creation,
} from './creation.js';
import type { Node } from './node.js';
import type { DeployOptions } from './options.js';
import { rolesOfNew, rolesRead, type Roles, type WantedRoles } from './roles.js';

/** Its address on OP-stack chains. */
const USUAL_WETH: Address = '0x4200000000000000000000000000000000000006';

export interface Survey {
  readonly block: Block;
  readonly constructorArguments: ConstructorArguments;
  readonly creation: Creation;
  /** The code that belongs at the address. */
  readonly runtimeCode: Hex;
  /** Of the contract, whether it is there or not. */
  readonly address: Address;
  /** There is a contract at the address, and its code is right. */
  readonly deployed: boolean;
  readonly wanted: WantedRoles;
  readonly roles: Roles;
}

/** @throws StartupError with one sentence for everything that is missing or wrong. */
export async function survey(
  node: Node,
  artifact: Artifact,
  config: DeploymentConfig,
  options: DeployOptions,
  executors: readonly Address[],
): Promise<Survey> {
  const block = await node.chain.getBlock('latest');
  const { owner, treasury, weth = USUAL_WETH } = options;
  const { factory } = config.liquidity.uniswapV3;
  await requireContracts(node, block.hash, [
    ['Multicall3', MULTICALL3],
    ['liquidity.uniswapV3.factory', factory],
    ...sourcesOf(config).map(sourceContract),
    ['--weth', weth, options.weth ? undefined : 'name the wrapped native coin of this chain with --weth'],
  ]);
  const counterparties = await resolve(node, block.hash, sourcesOf(config));
  const wanted: WantedRoles = { treasury, executors, counterparties };

  const constructorArguments = { owner, treasury, factory, weth };
  const creation = creationOf(artifact, constructorArguments);
  const runtimeCode = await node.runtimeCode(creation.initCode, block.hash);
  const { chimera } = config.execution;
  const configured = chimera === undefined || /^0x0+$/.test(chimera) ? undefined : chimera;
  const address = configured ?? creation.address;
  const code = await node.chain.getCode(address, block.hash);
  const deployed = code !== '0x';
  if (deployed) await verifyCode(node, artifact, { address, code, runtimeCode, constructorArguments, block });
  else await requireDeployable(node, block.hash, configured, creation.address);
  const roles = deployed
    ? await readAt(node.chain, rolesRead(address, wanted), block.hash)
    : rolesOfNew(owner, wanted);
  if (roles.owner !== owner && roles.pendingOwner !== owner)
    throw new StartupError([
      `--owner: the contract ${address} belongs to ${roles.owner}, ${owner} was expected; name its owner, or have it call transferOwnership`,
    ]);
  return { block, constructorArguments, creation, runtimeCode, address, deployed, wanted, roles };
}

type Required = readonly [key: string, address: Address, instead?: string | undefined];

const sourceContract = (source: Source): Required =>
  'address' in source
    ? [source.key, source.address]
    : [`${source.key}.addressesProvider`, source.addressesProvider];

async function requireContracts(node: Node, block: Hash, required: readonly Required[]): Promise<void> {
  const codes = await Promise.all(required.map(([, address]) => node.chain.getCode(address, block)));
  const problems = required.flatMap(([key, address, instead], index) =>
    codes[index] === '0x'
      ? [
          `${key}: there is no contract at ${address} on chain ${node.chain.chainId}; ${instead ?? 'a deployed contract was expected'}`,
        ]
      : [],
  );
  if (problems.length > 0) throw new StartupError(problems);
}

/** Replaces each PoolAddressesProvider of Aave by its pool. */
async function resolve(
  node: Node,
  block: Hash,
  sources: readonly Source[],
): Promise<readonly Counterparty[]> {
  const providers = sources.flatMap((source) => ('addressesProvider' in source ? [source] : []));
  const pools = await readAt(
    node.chain,
    each(providers.map(({ key, addressesProvider }) => addressRead(addressesProvider, AAVE.getPool, key))),
    block,
  );
  const found = sources.map((source): Counterparty => {
    const { key, kind } = source;
    if ('address' in source) return { address: source.address, kind, keys: [key] };
    const address = pools[providers.indexOf(source)];
    if (address === undefined) throw new Error(`${key}: no answer to getPool`);
    return { address, kind, keys: [key] };
  });
  await requireContracts(
    node,
    block,
    found.map(({ address, keys }) => [keys.join(), address]),
  );
  const { counterparties, problems } = mergeCounterparties(found);
  if (problems.length > 0) throw new StartupError(problems);
  return counterparties;
}

async function requireDeployable(
  node: Node,
  block: Hash,
  configured: Address | undefined,
  address: Address,
): Promise<void> {
  if (configured !== undefined && configured !== address)
    throw new StartupError([
      `execution.chimera: there is no contract at ${configured}, and with this owner, treasury, factory and wrapped native coin it would be deployed to ${address}; that address, or none, was expected`,
    ]);
  await requireContracts(node, block, [
    [
      'the deterministic deployment proxy',
      CREATE2_PROXY,
      'deploy it first, as https://github.com/Arachnid/deterministic-deployment-proxy says',
    ],
  ]);
}

export interface FoundCode {
  readonly address: Address;
  readonly code: Hex;
  readonly runtimeCode: Hex;
  readonly constructorArguments: ConstructorArguments;
  readonly block: Pick<Block, 'hash'>;
}

/** @throws StartupError naming what differs: the factory, the wrapped native coin, or the code itself. */
export async function verifyCode(node: Node, artifact: Artifact, found: FoundCode): Promise<void> {
  const { address, code, runtimeCode, constructorArguments, block } = found;
  if (code === runtimeCode) return;
  const built = { factory: SELECTORS.factory, weth: SELECTORS.weth };
  const answers = await Promise.all(
    Object.values(built).map((data) => node.chain.ethCall({ to: address, data }, block.hash)),
  );
  const [factory, weth] = answers.map((answer) =>
    answer instanceof CallReverted || answer.length !== 66 ? undefined : addressAt(answer, 0),
  );
  const problems: string[] = [];
  if (factory !== undefined && factory !== constructorArguments.factory)
    problems.push(
      `liquidity.uniswapV3.factory: the contract ${address} was made for the factory ${factory}, ${constructorArguments.factory} was expected`,
    );
  if (weth !== undefined && weth !== constructorArguments.weth)
    problems.push(
      `--weth: the contract ${address} was made for the wrapped native coin ${weth}, ${constructorArguments.weth} was expected`,
    );
  // The code is compared once more with the contract's own two addresses in it.
  const own =
    factory === undefined || weth === undefined
      ? runtimeCode
      : await ownCode(node, artifact, { ...constructorArguments, factory, weth }, block.hash);
  const difference = codeDifference(code, own);
  if (difference !== undefined)
    problems.push(
      `execution.chimera: the code at ${address} is not that of contracts/src/Chimera.sol (${difference}); a contract deployed from these sources was expected`,
    );
  throw new StartupError(problems);
}

function ownCode(node: Node, artifact: Artifact, args: ConstructorArguments, block: Hash): Promise<Hex> {
  return node.runtimeCode(creationOf(artifact, args).initCode, block).catch((error: unknown) => {
    // Our constructor refuses these addresses: the contract is not ours.
    if (error instanceof CallReverted) return '0x';
    throw error;
  });
}

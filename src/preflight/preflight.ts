import { Logger } from '@nestjs/common';
import { computeAddress } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { checkDatabase } from '../database/index.js';
import type { Block } from '../domain/block.js';
import { chainDescription } from '../domain/chain-description.js';
import { messageOf, StartupError } from '../domain/errors.js';
import { toAddress, type Address, type Hash } from '../domain/hex.js';
import { formatUnits, WAD } from '../domain/money.js';
import { FeedBook } from '../oracles/feed-book.js';
import { feedFactsRead, feedProblem } from '../oracles/native-price.js';
import { PriceGuard } from '../oracles/price-guard.js';
import type { LendingMarket } from '../protocols/lending-market.js';
import { marketOf, tokenPricesOf } from '../protocols/market-kinds.js';
import { SELECTORS as CHIMERA } from '../contract/bindings.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcAnswerError } from '../rpc/rpc-errors.js';
import { MULTICALL3 } from '../rpc/chain/multicall3.js';
import { readAt } from '../rpc/chain/read.js';
import type { AssumedContract } from '../rpc/endpoints/assumed-contract.js';
import { RpcPool, type EndpointProblem } from '../rpc/endpoints/rpc-pool.js';
import { hypersyncProblem } from '../rpc/history/hypersync-client.js';
import { kindsRead } from './check-kinds.js';
import { checkPort } from './check-port.js';
import { roleProblems } from './check-roles.js';

const logger = new Logger('Preflight');

/**
 * Checks everything that the bot needs, in the order of the start-up: port, database, endpoints, contracts
 * and roles, wallet.
 *
 * @param assumed taken for granted in place of a deployed contract and of a wallet: nothing is sent then, so
 *   a node without eth_simulateV1 will do.
 * @throws StartupError with one sentence for everything that is missing or wrong.
 */
export async function preflight(config: ChimeraConfig, assumed?: AssumedContract): Promise<void> {
  const problems = [
    ...(await checkPort(config.api)),
    ...(await checkDatabase(config)),
    ...publicDoorProblem(config),
    ...(await hypersyncProblems(config)),
  ];
  const { network, rpc } = config;
  const { primary, backup, archive } = rpc;
  const pool = new RpcPool({ chainId: network.chainId, primary, backup, archive }, undefined, assumed);
  try {
    const refused = thatRefuse(await pool.checkEndpoints(), rpc.backup !== undefined);
    problems.push(...refused);
    // Without a chain every further check would report the same problem again.
    if (refused.length === 0)
      problems.push(...(await checkChain(new Chain(pool), config, assumed?.operator)));
  } finally {
    pool.close();
  }
  if (problems.length > 0) throw new StartupError(problems);
}

export async function hypersyncProblems({ rpc }: ChimeraConfig): Promise<string[]> {
  const problem = rpc.hypersync && (await hypersyncProblem(rpc.hypersync));
  return problem === undefined ? [] : [problem];
}

/** Whoever reads the mempool can take what a public transaction would earn, before it is mined. */
export function publicDoorProblem({
  network,
  execution,
}: {
  readonly network: Pick<ChimeraConfig['network'], 'chainId'>;
  readonly execution: Pick<ChimeraConfig['execution'], 'mode' | 'paths' | 'allowPublicMempool'>;
}): string[] {
  const { mode, paths, allowPublicMempool } = execution;
  const isShown =
    chainDescription(network.chainId).publicMempool && paths.some(({ kind }) => kind === 'public');
  if (mode !== 'live' || allowPublicMempool || !isShown) return [];
  return [
    `execution.paths: the path is public, and the mempool of chain ${network.chainId} is public, so that rivals see a transaction before it is mined; a path of the kind private was expected (or execution.allowPublicMempool: true)`,
  ];
}

/**
 * F19: the bot starts without an endpoint that does not serve, as long as the primary or the backup does: a
 * restart at night must not wait for a provider. It does not start with any endpoint of another chain.
 *
 * @returns the problems that keep the bot from starting.
 */
function thatRefuse(found: readonly EndpointProblem[], hasBackup: boolean): string[] {
  const away = new Set(found.map(({ role }) => role));
  const noneServes = away.has('primary') && (!hasBackup || away.has('backup'));
  return found.flatMap(({ role, problem, wrongChain }) => {
    if (wrongChain || (noneServes && role !== 'archive')) return [problem];
    logger.warn(`${problem}; the bot starts without it`);
    return [];
  });
}

async function checkChain(
  chain: Chain,
  config: ChimeraConfig,
  assumed: Address | undefined,
): Promise<string[]> {
  try {
    const markets = marketsOf(chain, config);
    const missing = await missingContracts(chain, config, markets);
    const operator = assumed ? { address: assumed, problems: [] } : await checkOperator(chain, config);
    const roles =
      missing.length === 0
        ? await checkRoles(chain, config, markets, { ...operator, mayPlan: !assumed })
        : [];
    return [...missing, ...roles, ...operator.problems];
  } catch (error) {
    return [`the chain could not be examined: ${messageOf(error)}`];
  }
}

export function marketsOf(chain: Chain, config: ChimeraConfig): LendingMarket[] {
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, guard);
  const healthFactors = { decideBelowWad: WAD, watchBelowWad: WAD };
  const tokenPrices = tokenPricesOf(config.protocols, chain);
  return config.protocols.map((protocol) =>
    marketOf(protocol, { chain, feeds, guard, tokenPrices, healthFactors }),
  );
}

export async function missingContracts(
  chain: Chain,
  config: ChimeraConfig,
  markets: readonly LendingMarket[],
): Promise<string[]> {
  const { uniswapV3, factories, flash, wrappers } = config.liquidity;
  const optional = (key: string, address: Address | undefined): [string, Address][] =>
    address === undefined ? [] : [[key, address]];
  const expected: readonly (readonly [string, Address])[] = [
    ['execution.chimera', config.execution.chimera],
    ...markets.flatMap(({ contracts }) => contracts),
    ['oracles.nativeUsdFeed', config.oracles.nativeUsdFeed],
    ['liquidity.uniswapV3.factory', uniswapV3.factory],
    ...factories.map(({ name, factory }): [string, Address] => [
      `liquidity.factories (${name}).factory`,
      factory,
    ]),
    ...optional('liquidity.flash.morpho', flash?.morpho),
    ...optional('liquidity.flash.aavePool', flash?.aavePool),
    ...optional('liquidity.flash.balancerVault', flash?.balancerVault),
    ...optional('liquidity.flash.balancerV3Vault', flash?.balancerV3Vault),
    ...wrappers.map(({ token }): [string, Address] => [`liquidity.wrappers (${token})`, token]),
    ['Multicall3', MULTICALL3],
  ];
  const codes = await Promise.all(expected.map(([, address]) => chain.getCode(address)));
  return expected.flatMap(([key, address], index) =>
    codes[index] === '0x'
      ? [
          `${key}: there is no contract at ${address} on chain ${config.network.chainId}; a deployed contract was expected`,
        ]
      : [],
  );
}

async function checkRoles(
  chain: Chain,
  config: ChimeraConfig,
  markets: readonly LendingMarket[],
  { address: operator, mayPlan }: { readonly address: Address | undefined; readonly mayPlan: boolean },
): Promise<string[]> {
  const block = await chain.getBlock('latest');
  const { problems: byQuestion, named } = await roleProblems(chain, config, markets, {
    operator,
    block: block.hash,
  });
  if (byQuestion.kind.length > 0) return [...byQuestion.kind];
  const problems = Object.values<readonly string[]>({ ...byQuestion }).flat();
  problems.push(...historyProblems(config, block));
  problems.push(...(await checkMarkets(chain, config, named, block.hash)));
  const ofWrongKind = await readAt(chain, kindsRead(config), block.hash);
  if (problems.length + ofWrongKind.length === 0) {
    if (mayPlan) problems.push(...(await checkSimulation(chain, config, block.hash)));
    problems.push(...(await checkBloom(chain, block)));
  }
  // What else is wrong with an address of another kind does not matter.
  const keys = ofWrongKind.map((problem) => problem.slice(0, problem.indexOf(': ') + 2));
  return [...ofWrongKind, ...problems.filter((one) => !keys.some((key) => one.startsWith(key)))];
}

/** The history of a market is searched from a block that exists: below the newest one. */
export function historyProblems({ protocols }: ChimeraConfig, { number }: Block): string[] {
  return protocols
    .filter(({ fromBlock }) => fromBlock > number)
    .map(
      ({ name, fromBlock }) =>
        `protocols (${name}).fromBlock: block ${fromBlock} is above the newest block, ${number}; the block in which the market was deployed was expected`,
    );
}

/**
 * At least one market of a known version (the others are left out, `market-refused` tells why), and a feed of
 * the native token that agrees with their own oracles.
 */
export async function checkMarkets(
  chain: Chain,
  { network, oracles }: ChimeraConfig,
  markets: readonly LendingMarket[],
  block: Hash,
): Promise<string[]> {
  const { wrappedNative } = chainDescription(network.chainId);
  const found = await Promise.all(markets.map((market) => market.examine(block, wrappedNative)));
  const prices = found.flatMap(({ priceUsd8 }) => priceUsd8 ?? []);
  const facts = await readAt(chain, feedFactsRead(oracles.nativeUsdFeed), block);
  const problem = feedProblem(oracles.nativeUsdFeed, facts, prices);
  const refusals = found.flatMap(({ refusal }) => refusal ?? []);
  return [
    ...found.flatMap(({ problems }) => problems),
    ...(refusals.length === markets.length ? refusals : []),
    ...(problem === undefined ? [] : [problem]),
  ];
}

/** The planner proves plans by eth_simulateV1, with two endpoints by both. */
export async function checkSimulation(
  chain: Chain,
  { execution, rpc }: ChimeraConfig,
  block: Hash,
): Promise<string[]> {
  const call = { to: execution.chimera, data: CHIMERA.paused, gas: 1_000_000n };
  const nothing = { calls: [], decode: () => undefined };
  const heard = await chain.testimonies({ simulations: [[call]], read: nothing, block });
  const able = heard.some(({ error }) => error === undefined);
  return heard.flatMap(({ role, error }) => {
    if (!error || (able && !rpc.secondOpinion)) return [];
    // A backup that does not answer now may do so later.
    const refuses = error instanceof RpcAnswerError || error.kind === 'refused';
    if (role !== 'primary' && !refuses) return [];
    return [
      `rpc.${role}: the node cannot simulate transactions with eth_simulateV1, by which plans are proved (${error.message})`,
    ];
  });
}

/**
 * The bot does not read the logs of a block whose bloom filter says that it holds none of ours. A chain with
 * empty blooms would hide all logs.
 */
export async function checkBloom(chain: Chain, { hash, logsBloom }: Block): Promise<string[]> {
  if (logsBloom === undefined || /[1-9a-f]/i.test(logsBloom.slice(2))) return [];
  const logs = await chain.getLogs({ blockHash: hash }, [], []);
  if (logs.length === 0) return [];
  return [
    `rpc: block headers carry an empty logs bloom although block ${logs[0]?.blockNumber} has logs; a chain with blooms was expected`,
  ];
}

export async function checkOperator(
  chain: Chain,
  { environment, safety }: ChimeraConfig,
): Promise<{ address: Address | undefined; problems: string[] }> {
  const key = environment.operatorPrivateKey;
  if (!key)
    return {
      address: undefined,
      problems: [
        'OPERATOR_PRIVATE_KEY: the environment variable has no value; the key of an executor was expected, also in dry-run, because plans are simulated in its name',
      ],
    };
  const address = toAddress(computeAddress(key.reveal()));
  const balance = await chain.getBalance(address);
  if (balance >= safety.minOperatorBalanceWei) return { address, problems: [] };
  return {
    address,
    problems: [
      `the operator wallet ${address} holds ${formatUnits(balance, 18)} ETH; at least ${formatUnits(safety.minOperatorBalanceWei, 18)} ETH was expected (safety.minOperatorBalanceEth)`,
    ],
  };
}

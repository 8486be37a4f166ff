/** What the real bot asks in a second in which nothing happens, with borrowers of three families. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Interface } from 'ethers';
import { demoBorrowers, type Borrower, type TokenAmount } from '../../devnet/index.js';
import { Stack } from '../../devnet/stack/stack.js';
import { Secret } from '../../src/domain/secret.js';
import { toAddress, type Hex } from '../../src/domain/hex.js';
import { Chain } from '../../src/rpc/chain/chain.js';
import { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { DelayedNode } from '../delayed-node.js';
import { measurement, type GroupOptions, type Measurement } from './measurement.js';
import { openOnCompound, openOnMorpho } from './other-borrowers.js';

/** Real ones, by family. */
const ON_AAVE = 4_000;
const ON_COMPOUND = 3_000;
const ON_MORPHO = 3_000;
const BORROWERS = ON_AAVE + ON_COMPOUND + ON_MORPHO;
/** The demo's borrowers are too large for so many. */
const SMALLER = 20n;
const BLOCK_MS = 200;
/** Each state of the chain is a copy of all of it. A busy machine is some blocks behind. */
const STATES_KEPT = 64;
const SETTLING_MS = 5_000;
const SECONDS = 20;
/** What a node computes in one call. */
const ACCOUNTS_PER_CALL = 250;
const FOUND_WITHIN_MS = 120_000;

const READS = new Interface([
  'function getUserAccountData(address)',
  'function getAccountLiquidity(address)',
  'function position(bytes32,address)',
]);

export async function seconds({ progress }: GroupOptions): Promise<Measurement[]> {
  progress(`starting chain and database, and opening ${ON_AAVE} positions on Aave`);
  const stack = await Stack.start({ borrowers: smallBorrowers(ON_AAVE), statesKept: STATES_KEPT });
  const node = await DelayedNode.start(stack.devnet.rpcUrl, 0);
  try {
    const { devnet } = stack;
    progress(`${ON_COMPOUND} on Compound`);
    const onCompound = await openOnCompound(devnet, ON_COMPOUND);
    progress(`${ON_MORPHO} on Morpho Blue`);
    const onMorpho = await openOnMorpho(devnet, ON_MORPHO);
    await devnet.startMining(BLOCK_MS);
    progress('starting the bot');
    const { wsUrl } = devnet;
    await stack.startBot(undefined, { rpcUrl: node.url, wsUrl, beside: ['compound', 'morpho'] });
    await allFound(stack);
    await sleep(SETTLING_MS);

    progress(`counting for ${SECONDS} s`);
    const firstBlock = await devnet.provider.getBlockNumber();
    node.take();
    const began = performance.now();
    await sleep(SECONDS * 1_000);
    const exchanges = node.take();
    const took = (performance.now() - began) / 1_000;
    const blocks = (await devnet.provider.getBlockNumber()) - firstBlock;
    const methods = new Map<string, number>();
    for (const method of exchanges.flatMap((one) => one.methods))
      methods.set(method, (methods.get(method) ?? 0) + 1);
    await stack.bot?.stop();
    await devnet.stopMining();

    progress('asking for every position instead');
    const perBlock = await callsForAll(stack, node, onCompound, onMorpho);
    const calls = [...methods.values()].reduce((sum, count) => sum + count, 0);
    return [
      measurement('seconds.borrowers', BORROWERS, 'positions'),
      // Fewer than five where the machine cannot copy the state of the chain so often.
      measurement('seconds.blocks', blocks / took, 'blocks/s'),
      measurement('seconds.calls', calls / took, 'calls/s', (perBlock.calls * blocks) / took),
      ...[...methods]
        .sort(([, one], [, other]) => other - one)
        .map(([method, count]) => measurement(`seconds.calls.${method}`, count / took, 'calls/s')),
      measurement(
        'seconds.requests',
        exchanges.length / took,
        'requests/s',
        (perBlock.requests * blocks) / took,
      ),
      measurement('seconds.callsOfBlock', calls / blocks, 'calls', perBlock.calls),
      measurement('seconds.requestsOfBlock', exchanges.length / blocks, 'requests', perBlock.requests),
    ];
  } finally {
    await node.stop();
    await stack.stop();
  }
}

function smallBorrowers(howMany: number): Borrower[] {
  const smaller = <T extends TokenAmount>(each: T): T => ({ ...each, amount: each.amount / SMALLER });
  return demoBorrowers(howMany).map((borrower) => ({
    ...borrower,
    collaterals: borrower.collaterals.map(smaller),
    debts: borrower.debts.map(smaller),
  }));
}

/** @throws Error when the bot does not follow every borrower in time */
async function allFound(stack: Stack): Promise<void> {
  const end = performance.now() + FOUND_WITHIN_MS;
  for (;;) {
    const { body } = await stack.api('/api/v1/status');
    const { positions } = body as { readonly positions?: { readonly total?: number } };
    if (positions?.total === BORROWERS) return;
    if (performance.now() > end)
      throw new Error(`${String(positions?.total)} of ${BORROWERS} borrowers were found`);
    await sleep(500);
  }
}

/** The baseline: every position is asked for, in one block. */
async function callsForAll(
  { devnet, borrowers }: Stack,
  node: DelayedNode,
  onCompound: readonly string[],
  onMorpho: readonly string[],
): Promise<{ calls: number; requests: number }> {
  const { pool: aave, comptroller, morpho } = devnet.addresses;
  const { id } = devnet.morphoMarket('WETH', 'USDC');
  const call = (to: string, name: string, values: readonly unknown[]): { to: Hex; data: Hex } => ({
    to: toAddress(to),
    data: READS.encodeFunctionData(name, values) as Hex,
  });
  const all = [
    ...borrowers.map(({ account }) => call(aave, 'getUserAccountData', [account])),
    ...onCompound.map((account) => call(comptroller, 'getAccountLiquidity', [account])),
    ...onMorpho.map((account) => call(morpho, 'position', [id, account])),
  ];
  const pool = new RpcPool({ chainId: devnet.chainId, primary: { http: new Secret(node.url) } });
  try {
    const chain = new Chain(pool);
    const { hash } = await chain.getBlock('latest');
    node.take();
    await chain.multicall(all, hash, { chunk: ACCOUNTS_PER_CALL, deadlineMs: FOUND_WITHIN_MS });
    const exchanges = node.take();
    return { calls: exchanges.flatMap(({ methods }) => methods).length, requests: exchanges.length };
  } finally {
    pool.close();
  }
}

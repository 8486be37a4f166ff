import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import { aaveParts, aaveView, LIQUIDATABLE, viewOfAccounts } from '../../../testing/aave-state.js';
import { answersAlways, answersTo, passedOn, REVERTS } from '../../../testing/answering-code.js';
import { chainOf } from '../../../testing/chain.js';
import { configOf } from '../../../testing/devnet-config.js';
import { send } from '../../../testing/send.js';
import { toAddress } from '../../domain/hex.js';
import { USD8 } from '../../domain/money.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { RpcPool } from '../../rpc/endpoints/rpc-pool.js';
import { AaveV3Reader } from './aave-v3.reader.js';
import { positionsAtRisk } from './at-risk.js';

/** EIP-1967 */
const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
const SENTINEL = `0x${'5e'.repeat(20)}`;
const OTHER_POOL = `0x${'f0'.repeat(20)}`;
/** To isLiquidationAllowed(). */
const ANSWERS_NO = answersAlways(0n);
const LIMITS = { maxNotionalUsd8: 10n ** 9n * USD8, fundingHorizonSeconds: 60 };

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let clean: string;
let borrower: string;
/** The address of the pool's real code. */
let realPool: string | undefined;

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  // Health factor 1.06 at $3,000, 0.97 at $2,750.
  borrower = await devnet.openPosition({
    collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
    debts: [{ symbol: 'USDC', amount: 2_350n * 10n ** 6n }],
  });
});

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(() => devnet.revert(clean));

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe('the version of an Aave pool', () => {
  it('3.5 and 3.6 ask the sentinel, which may forbid a liquidation in the grace period of the sequencer', async () => {
    await devnet.setPrice('WETH', 2_750n * USD8);
    await sentinelThat(ANSWERS_NO);
    for (const revision of [9, 10]) {
      await setRevision(revision);
      expect(await obstacles()).toEqual(['sequencer-grace']);
    }
    await devnet.setPrice('WETH', 2_650n * USD8); // below 0.95 no grace is given
    expect(await obstacles()).toEqual([undefined]);
  });

  it.each([
    ['forbids', ANSWERS_NO],
    ['reverts', REVERTS],
  ])('3.7 has no use for a sentinel: it is not asked, not even one that %s', async (_, code) => {
    await devnet.setPrice('WETH', 2_750n * USD8);
    await sentinelThat(code);
    await setRevision(11);
    expect(await obstacles()).toEqual([undefined]);
    const { hash } = await chain.getBlock('latest');
    const { addressesProvider } = devnet.addresses;
    const market = await new AaveV3Reader(chain).market('aave', toAddress(addressesProvider), hash);
    expect(market.sentinel).toBeUndefined();
  });

  it.each([0, 12, 255])(
    'POOL_REVISION %i is read before anything else, so that a pool without any other function gets its sentence',
    async (revision) => {
      await devnet.rpc('anvil_setCode', [OTHER_POOL, revisionOf(revision)]);
      const provider = `0x${'ad'.repeat(20)}`;
      await devnet.rpc('anvil_setCode', [provider, answersAlways(BigInt(OTHER_POOL))]);
      const { hash } = await chain.getBlock('latest');
      await expect(new AaveV3Reader(chain).market('old', toAddress(provider), hash)).rejects.toThrow(
        `old: the pool has POOL_REVISION ${revision}, whose liquidation rules are not known; known: Aave 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7`,
      );
    },
  );
});

/** Why the position is left alone; undefined: it is not. */
async function obstacles(): Promise<(string | undefined)[]> {
  const view = await viewOfAccounts(aaveParts(chain, configOf(devnet), LIQUIDATABLE), chain, [borrower]);
  return [...positionsAtRisk(aaveView(view), LIMITS)].map(({ obstacle }) => obstacle?.reason);
}

async function sentinelThat(code: string): Promise<void> {
  const { addressesProvider } = devnet.contracts;
  await devnet.rpc('anvil_setCode', [SENTINEL, code]);
  await send(devnet, devnet.accounts.deployer, addressesProvider, 'setPriceOracleSentinel', SENTINEL);
}

/** The real pool, but for its answer to POOL_REVISION(). */
async function setRevision(revision: number): Promise<void> {
  const { pool: proxy } = devnet.addresses;
  const slot = [proxy, IMPLEMENTATION_SLOT];
  realPool ??= `0x${String(await devnet.rpc('eth_getStorageAt', [...slot, 'latest'])).slice(-40)}`;
  await devnet.rpc('anvil_setCode', [OTHER_POOL, revisionOf(revision, passedOn(realPool, 'delegatecall'))]);
  await devnet.rpc('anvil_setStorageAt', [...slot, `0x${OTHER_POOL.slice(2).padStart(64, '0')}`]);
  await devnet.mine();
}

function revisionOf(revision: number, otherwise?: string): string {
  return answersTo('POOL_REVISION()', BigInt(revision), otherwise);
}

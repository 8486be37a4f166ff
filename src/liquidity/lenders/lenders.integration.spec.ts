import { describe, expect, it } from 'vitest';
import { type Devnet } from '../../../devnet/index.js';
import { answersTo } from '../../../testing/answering-code.js';
import { onCleanChain } from '../../../testing/clean-chain.js';
import { configOf } from '../../../testing/devnet-config.js';
import { drain, offersAt } from '../../../testing/lenders.js';
import { send } from '../../../testing/send.js';
import { toAddress } from '../../domain/hex.js';
import type { PositionId } from '../../domain/position-id.js';
import type { Chain } from '../../rpc/chain/chain.js';
import type { Offer } from './lender.js';

/** Where a stand-in is put. */
const V3_VAULT = '0x00000000000000000000000000000000000c0de1';
const POSITION: PositionId = { market: `0x${'aa'.repeat(20)}`, borrower: `0x${'b0'.repeat(20)}` };

let devnet: Devnet;
let chain: Chain;

onCleanChain((started) => ({ devnet, chain } = started));

async function offers(): Promise<Readonly<Record<string, Offer>>> {
  const { morpho, balancerVault, pool: aavePool } = devnet.addresses;
  const lenders = `{ morpho: "${morpho}", balancerVault: "${balancerVault}", aavePool: "${aavePool}", balancerV3Vault: "${V3_VAULT}" }`;
  const { hash } = await chain.getBlock('latest');
  const all = await offersAt(devnet, chain, configOf(devnet, { lenders }), hash);
  const usdc = all.for(POSITION, toAddress(devnet.tokens.USDC.address));
  return Object.fromEntries(usdc.map((offer) => [offer.name, offer]));
}

const balanceOf = async (holder: string): Promise<bigint> =>
  BigInt(String(await devnet.token('USDC').getFunction('balanceOf')(holder)));

const configure = (method: string, ...args: unknown[]): Promise<unknown> =>
  send(devnet, devnet.accounts.deployer, devnet.contracts.poolConfigurator, method, ...args);

describe('what the real lenders offer', { timeout: 60_000 }, () => {
  it('Morpho and Balancer lend what they hold, for nothing', async () => {
    const { morpho, balancerVault } = devnet.addresses;
    const { morpho: first, balancer } = await offers();
    expect(first).toMatchObject({ feeBps: 0n, most: await balanceOf(morpho) });
    expect(balancer).toMatchObject({ feeBps: 0n, most: await balanceOf(balancerVault) });
    await drain(devnet, morpho, 'USDC', 7n);
    await drain(devnet, balancerVault, 'USDC', 0n);
    expect(await offers()).toMatchObject({ morpho: { most: 7n } });
    expect(await offers()).not.toHaveProperty('balancer');
  });

  it('Aave lends what its books say, for its premium', async () => {
    const { aavePool } = devnet.contracts;
    const { address } = devnet.tokens.USDC;
    const most = BigInt(String(await aavePool.getFunction('getVirtualUnderlyingBalance')(address)));
    expect((await offers()).aave).toMatchObject({ feeBps: 5n, most });
    await configure('updateFlashloanPremium', 9);
    expect((await offers()).aave).toMatchObject({ feeBps: 9n });
  });

  it.each([
    ['flash loans off', 'setReserveFlashLoaning', [false]],
    ['paused', 'setReservePause', [true]],
  ])('Aave with its reserve %s lends nothing', async (_, method, args) => {
    const { address } = devnet.tokens.USDC;
    const selector = method === 'setReservePause' ? 'setReservePause(address,bool)' : method;
    await configure(selector, address, ...args);
    expect(await offers()).not.toHaveProperty('aave');
  });

  it('Balancer v3 lends its reserves', async () => {
    expect(await offers()).not.toHaveProperty('balancer-v3');
    await devnet.rpc('anvil_setCode', [V3_VAULT, answersTo('getReservesOf(address)', 123_456n)]);
    expect((await offers())['balancer-v3']).toMatchObject({ feeBps: 0n, most: 123_456n, lender: V3_VAULT });
  });
});

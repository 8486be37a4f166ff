import { id, MaxUint256 } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBorrowers, startDevnet, type Devnet } from '../../devnet/index.js';
import { toAddress, uintAt } from '../../src/domain/hex.js';
import { WAD } from '../../src/domain/money.js';
import { leavingOpen, pairsAfter } from '../../src/protocols/aave-v3/after.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import { liquidationResult } from '../../src/protocols/aave-v3/liquidation.js';
import type { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { chainOf } from '../../testing/chain.js';
import {
  accountDataOf,
  compareHealth,
  compareLiquidations,
  equipLiquidator,
  hexOf,
  liquidate,
  LIQUIDATION_CALL,
  liquidationData,
  mulberry,
  outcomeOf,
  roundsToNothing,
  simulate,
  snapshotOf,
  UNLIMITED,
  valued,
  type AaveWorld,
} from './aave-world.js';

/** Repeat a failing run with its seed: DIFFERENTIAL_SEED=… npx vitest run test/differential */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
const POSITIONS = 520;
const ONE_YEAR = 365 * 24 * 3600;

let devnet: Devnet;
let pool: RpcPool;
let world: AaveWorld;

beforeAll(async () => {
  devnet = await startDevnet();
  const { chain, pool: connection } = chainOf(devnet);
  pool = connection;
  const borrowers = (await devnet.openPositions(randomBorrowers(SEED, POSITIONS))).map(toAddress);
  const addressesProvider = toAddress(devnet.addresses.addressesProvider);
  world = { devnet, chain, reader: new AaveV3Reader(chain), addressesProvider, borrowers };
  await equipLiquidator(devnet, devnet.addresses.pool);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe(`Aave v3.6 against our own maths (seed ${SEED})`, () => {
  it('gives every position the same collateral, debt and health factor as getUserAccountData, to the wei', async () => {
    expect(await compareHealth(world)).toBe(POSITIONS);
  });

  it('gives the same after a year of interest', async () => {
    await devnet.increaseTime(ONE_YEAR);
    expect(await compareHealth(world)).toBe(POSITIONS);
  });

  it('gives the same after prices moved, when many positions are below 1', async () => {
    const before = await devnet.prices();
    await devnet.setPrices({
      WETH: (before.WETH * 77n) / 100n,
      cbETH: (before.cbETH * 74n) / 100n,
      cbBTC: (before.cbBTC * 109n) / 100n,
      USDC: 99_700_000n,
    });
    expect(await compareHealth(world)).toBe(POSITIONS);
    const { liquidatable } = await snapshotOf(world);
    expect(liquidatable.length).toBeGreaterThan(POSITIONS / 10);
  });

  it('gives the same debt covered, collateral seized and protocol fee as liquidationCall, or the same refusal', async () => {
    const { executed, refused } = await compareLiquidations(world, await snapshotOf(world), {
      random: mulberry(SEED),
      refusal: id('MustNotLeaveDust()').slice(0, 10),
    });
    expect(executed).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(0);
  }, 240_000);

  it('leaves the same position behind a first liquidation, of which a second one takes and gives the same', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf(world);
    const found = { open: 0, closed: 0, second: 0, leavingOpen: 0 };
    for (const { account, data } of liquidatable) {
      const pairs = liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED);
      const steps = pairs.flatMap((pair) =>
        [...pair.candidates, ...leavingOpen(pair)].map((candidate) => ({ pair, candidate })),
      );
      for (const { pair, candidate } of steps.filter(({ candidate }) => !roundsToNothing(candidate))) {
        const after = pairsAfter(pairs, pair, candidate);
        const next = after.find(({ candidates }) => candidates.some((one) => !roundsToNothing(one)));
        const [second] = next?.candidates.filter((one) => !roundsToNothing(one)) ?? [];
        const context = `${account.address} ${candidate.collateral.symbol}/${candidate.debt.symbol} ${candidate.sizing}`;
        const [first, health, last] = await simulate(world, block, market, [
          liquidationData(pair.terms, account.address, candidate.debtToFund),
          accountDataOf(account.address),
          ...(next && second ? [liquidationData(next.terms, account.address, second.debtToFund)] : []),
        ]);
        expect(first?.success, context).toBe(true);
        const [totalCollateralUsd8, totalDebtUsd8, healthFactorWad] = [0, 1, 5].map((word) =>
          uintAt(health?.returnData ?? '0x', word),
        );
        const isOpen = healthFactorWad! < WAD && totalCollateralUsd8! > 0n;
        expect(after.length > 0, `${context}: open`).toBe(isOpen);
        found[isOpen ? 'open' : 'closed'] += 1;
        if (candidate.sizing === 'leaves-open') found.leavingOpen += isOpen ? 1 : -1_000;
        for (const { terms } of after)
          expect(terms, context).toMatchObject({ totalDebtUsd8, healthFactorWad });
        if (!last || !next || !second) continue;
        expect(last.success ? 'succeeded' : last.returnData, `${context}: second`).toBe('succeeded');
        const { debtToCover: debtCovered, collateralSeized, protocolFee } = second;
        expect(outcomeOf(last, next.terms.collateral.reserve.aToken), `${context}: second`).toEqual({
          ...{ debtCovered, collateralSeized, protocolFee },
        });
        found.second += 1;
      }
    }
    expect(found.closed).toBeGreaterThan(20);
    expect(found.open).toBeGreaterThan(20);
    expect(found.leavingOpen).toBeGreaterThan(5);
    expect(found.second).toBeGreaterThan(20);
  }, 240_000);

  it('funds each candidate so that the liquidation still succeeds half a minute later', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf(world);
    const later = block.timestamp + 30;
    let cleared = 0;
    for (const { account, data } of liquidatable) {
      for (const pair of liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED)) {
        for (const candidate of pair.candidates) {
          if (roundsToNothing(candidate)) continue;
          const data = liquidationData(pair.terms, account.address, candidate.debtToFund);
          const [call] = await simulate(world, block, market, [data], later);
          const context = `${account.address} ${candidate.collateral.symbol}/${candidate.debt.symbol} ${candidate.sizing}`;
          expect(call?.success ? 'succeeded' : call?.returnData, context).toBe('succeeded');
          if (candidate.sizing === 'all-debt' || candidate.sizing === 'all-collateral') cleared += 1;
        }
      }
    }
    expect(cleared).toBeGreaterThan(50);
  }, 120_000);

  it('agrees with mined liquidations, one after the other', async () => {
    const { liquidatable } = await snapshotOf(world);
    let mined = 0;
    for (const { account } of liquidatable.slice(0, 25)) {
      const snapshot = await snapshotOf(world, [account.address]);
      const [fresh] = snapshot.liquidatable;
      if (!fresh) continue;
      const timestamp = snapshot.block.timestamp + 1;
      const data = valued(snapshot.market, fresh.account, { ...snapshot.conditions, timestamp });
      const [pair] = liquidationPairs(snapshot.market.rules, data, timestamp, UNLIMITED);
      const ours = pair && liquidationResult(pair.terms, MaxUint256);
      if (!ours) continue;
      await devnet.rpc('evm_setNextBlockTimestamp', [timestamp]);
      const receipt = await liquidate(world, snapshot.market, pair.terms, account.address, MaxUint256);
      const event = receipt.logs.find((log) => log.topics[0] === LIQUIDATION_CALL);
      expect(uintAt(hexOf(event?.data ?? '0x'), 0)).toBe(ours.debtCovered);
      expect(uintAt(hexOf(event?.data ?? '0x'), 1)).toBe(ours.collateralSeized);
      mined += 1;
    }
    expect(mined).toBeGreaterThan(10);
  });
});

import { Interface } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBorrowers, startDevnet, type Devnet } from '../../devnet/index.js';
import { startOldAave, type OldAave } from '../../devnet/old-aave.js';
import { toAddress, uintAt } from '../../src/domain/hex.js';
import { WAD } from '../../src/domain/money.js';
import { leavingOpen, pairsAfter } from '../../src/protocols/aave-v3/after.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import type { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { chainOf } from '../../testing/chain.js';
import { sendFrom } from '../../testing/transactions.js';
import { compareBooks } from './aave-books.js';
import {
  accountDataOf,
  compareHealth,
  compareLiquidations,
  equipLiquidator,
  liquidationData,
  mulberry,
  outcomeOf,
  roundsToNothing,
  simulate,
  snapshotOf,
  UNLIMITED,
  type AaveWorld,
} from './aave-world.js';

/** Another seed: DIFFERENTIAL_SEED=… With some, too few positions of the e-mode fall below 1. */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_129);
/**
 * How many liquidations are compared. Many:
 * DIFFERENTIAL_CASES=2500 npx vitest run test/differential/aave-v3-old
 */
const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 300);
const POSITIONS = Math.max(180, Math.ceil(CASES / 4));
const ONE_YEAR = 365 * 24 * 3600;

let devnet: Devnet;
let pool: RpcPool;
let aave: OldAave;
let world: AaveWorld;

beforeAll(async () => {
  devnet = await startDevnet();
  aave = await startOldAave(devnet);
  const { chain, pool: connection } = chainOf(devnet);
  pool = connection;
  const borrowers = (await aave.open(randomBorrowers(SEED, POSITIONS))).map(toAddress);
  const addressesProvider = toAddress(aave.addresses.addressesProvider);
  world = { devnet, chain, reader: new AaveV3Reader(chain), addressesProvider, borrowers };
  await equipLiquidator(devnet, aave.addresses.pool);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe(`Aave 3.0 against our own maths (seed ${SEED})`, () => {
  it('is known by its functions, although its revision is that of other versions too', async () => {
    expect((await snapshotOf(world)).market.rules.version).toBe('3.0');
  });

  it('gives every position the same collateral, debt and health factor as getUserAccountData, to the wei', async () => {
    expect(await compareHealth(world)).toBe(POSITIONS);
  });

  it('gives the same positions and indexes as the chain from the logs, while users act', async () => {
    const borrowers = world.borrowers.slice(0, POSITIONS / 10);
    const random = mulberry(SEED + 1);
    const mined = await compareBooks({ ...world, borrowers }, { count: CASES / 15, random });
    console.info(`actions mined: ${JSON.stringify(mined)}`);
    expect(Object.keys(mined).length).toBeGreaterThan(4);
  }, 600_000);

  it('gives the same after a year of interest, and after prices moved', async () => {
    await devnet.increaseTime(ONE_YEAR);
    expect(await compareHealth(world)).toBe(POSITIONS);
    const before = await devnet.prices();
    await devnet.setPrices({
      WETH: (before.WETH * 77n) / 100n,
      cbETH: (before.cbETH * 74n) / 100n,
      cbBTC: (before.cbBTC * 109n) / 100n,
      USDC: 99_700_000n,
    });
    expect(await compareHealth(world)).toBe(POSITIONS);
  });

  it('gives the same debt covered, collateral seized and protocol fee as liquidationCall', async () => {
    const found = await compareLiquidations(world, await snapshotOf(world), {
      random: mulberry(SEED),
      most: CASES,
    });
    console.info(`liquidations compared: ${JSON.stringify(found)}`);
    expect(found.executed).toBeGreaterThan(CASES / 2);
  }, 600_000);

  it('leaves the same position behind a first liquidation, of which a second one takes and gives the same', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf(world);
    const found = { open: 0, closed: 0, second: 0 };
    for (const { account, data } of liquidatable.slice(0, CASES / 6)) {
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
    console.info(`second liquidations compared: ${JSON.stringify(found)}`);
    expect(found.second).toBeGreaterThan(10);
  }, 240_000);

  it('gives the same positions and indexes as the chain from the logs, while many are liquidated', async () => {
    const { liquidatable } = await snapshotOf(world);
    const borrowers = liquidatable.map(({ account }) => account.address).slice(0, POSITIONS / 10);
    const random = mulberry(SEED + 2);
    const mined = await compareBooks({ ...world, borrowers }, { count: CASES / 15, random });
    console.info(`actions mined: ${JSON.stringify(mined)}`);
    expect(mined['liquidationCall']).toBeGreaterThan(0);
  }, 600_000);

  it('is refused with a sentence once somebody owes at a stable rate', async () => {
    const { USDC } = devnet.tokens;
    const [lender] = await aave.open([{ collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }], debts: [] }]);
    const configurator = new Interface(aave.configuratorAbi);
    const enable = configurator.encodeFunctionData('setReserveStableRateBorrowing', [USDC.address, true]);
    const { poolConfigurator: to } = aave.addresses;
    await sendFrom(devnet, devnet.accounts.deployer, { to, data: enable });
    const borrow = new Interface(aave.poolAbi).encodeFunctionData('borrow', [USDC.address, 1, 1, 0, lender]);
    await sendFrom(devnet, lender ?? '', { to: aave.addresses.pool, data: borrow });
    await expect(snapshotOf(world)).rejects.toThrow(
      'aave: there is debt of USDC at a stable rate, which this bot does not follow',
    );
  });
});

describe(`Aave 3.0 whose e-mode has a price of its own (seed ${SEED})`, () => {
  it('values what is in the category by that price, for health and liquidations', async () => {
    const { feed } = devnet.tokens.cbETH;
    const priced = await startOldAave(devnet, { eModePriceFeed: feed });
    // The price of the category is another one than that by which these were made, so they borrow less.
    const requests = randomBorrowers(SEED + 3, 90, await devnet.prices()).map((one) => ({
      ...one,
      debts: one.debts.map((debt) => ({ ...debt, amount: (debt.amount * 6n) / 10n + 1n })),
    }));
    const borrowers = (await priced.open(requests)).map(toAddress);
    const addressesProvider = toAddress(priced.addresses.addressesProvider);
    const other = { ...world, addressesProvider, borrowers };
    await equipLiquidator(devnet, priced.addresses.pool);
    expect(await compareHealth(other)).toBe(90);
    const { cbETH } = await devnet.prices();
    await devnet.setPrices({ cbETH: (cbETH * 190n) / 100n, cbBTC: 70_000n * 10n ** 8n });
    expect(await compareHealth(other)).toBe(90);
    const snapshot = await snapshotOf(other);
    const eModes = snapshot.liquidatable.filter(({ account }) => account.eMode > 0);
    const found = await compareLiquidations(
      other,
      { ...snapshot, liquidatable: eModes },
      { random: mulberry(SEED + 3), most: CASES / 5 },
    );
    console.info(`with a price source: ${eModes.length} positions, ${JSON.stringify(found)}`);
    expect(found.executed).toBeGreaterThan(5);
  }, 240_000);
});
